/** What the page shows. */
import { getMetrics, listFailed } from '@leadmap/symphony/admin'
import { getFeatureFlags } from '@leadmap/symphony/utils'
import { query } from './database'

export async function overview() {
  const [{ queue }, failed, emails, campaigns, drips, deliveries] = await Promise.all([
    getMetrics(),
    listFailed({ limit: 10 }),
    query<{ status: string; count: number }>(
      'SELECT status, count(*)::int AS count FROM email_queue GROUP BY status ORDER BY status',
    ),
    query<{ id: string; name: string; status: string; recipients: number; open: number }>(
      `SELECT c.id, c.name, c.status, count(r.*)::int AS recipients, count(r.next_step)::int AS open
       FROM campaigns c LEFT JOIN campaign_recipients r ON r.campaign_id = c.id
       GROUP BY c.id ORDER BY c.created_at DESC LIMIT 5`,
    ),
    query<{ id: string; name: string; phones: number; open: number }>(
      `SELECT d.id, d.name, count(e.*)::int AS phones, count(e.next_position)::int AS open
       FROM sms_drips d LEFT JOIN sms_drip_enrollments e ON e.drip_id = d.id
       GROUP BY d.id ORDER BY max(e.next_at) DESC NULLS LAST LIMIT 5`,
    ),
    query<{ message_id: string; kind: string; recipient: string; delivered_at: Date }>(
      'SELECT * FROM deliveries ORDER BY delivered_at DESC LIMIT 10',
    ),
  ])
  return {
    flags: getFeatureFlags(),
    queues: queue.queues,
    failed: failed.messages,
    emails,
    campaigns,
    drips,
    deliveries,
  }
}
