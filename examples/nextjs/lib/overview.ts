/** What the page shows: the queue as Symphony's functions for operators report it, and the application's own tables. */
import { getMessage, getMetrics, listFailed, listMessages } from '@leadmap/symphony/admin'
import { getFeatureFlags } from '@leadmap/symphony/utils'
import { query } from './database'
import type { Counts } from './run'
import type { Selection } from './selection'
import { type Detail, detailOf, type Row, rowOf, rowOfLetter } from './shown'

export type Overview = Awaited<ReturnType<typeof overview>>

const started = Date.now()

export async function overview(selection: Selection) {
  const [{ queue, ...metrics }, rows, campaigns, drips] = await Promise.all([
    getMetrics({ startTime: started }),
    rowsOf(selection),
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
  ])
  const counts: Counts = {
    at: Date.now(),
    due: queue.pending,
    // Nothing here is dispatched for later: what waits for its time has failed and will run again.
    retrying: queue.delayed,
    running: queue.processing,
    done: metrics.totalSucceeded,
    failed: metrics.totalDeadLettered,
  }
  return { counts, rows, queues: queue.queues, flags: getFeatureFlags(), campaigns, drips }
}

async function rowsOf(selection: Selection): Promise<Row[]> {
  const limit = 10
  if (selection === 'failed') return (await listFailed({ limit, full: true })).messages.map(rowOfLetter)
  const { messages } = await listMessages({ limit, full: true, ...(selection === 'busy' && { text: 'busy' }) })
  return messages.map((message) => rowOf(message))
}

/** One message with its runs; `null` if it does not exist any more. */
export async function detail(id: string): Promise<Detail | null> {
  const message = await getMessage(id)
  return message && detailOf(message)
}
