/** Campaigns: steps of e-mails to recipients, each step some time after the one before it. */
import { dispatchBatch, TransportError } from '@leadmap/symphony'
import { buildCampaignMessage, withSymphonyFallback } from '@leadmap/symphony/utils'
import { query, transaction } from './database'

export interface NewCampaign {
  userId: string
  name: string
  /** In order; `wait` is an interval of Postgres, such as `3 days`, after the step before. */
  steps: Array<{ subject: string; html: string; wait?: string }>
  recipients: string[]
}

interface DueStep {
  recipient_id: string
  campaign_id: string
  user_id: string
  step_number: number
}

/** Writes a campaign and starts it. With the flag on its first steps are on their way at once. */
export async function createCampaign({ userId, name, steps, recipients }: NewCampaign): Promise<string> {
  const id = await transaction(async (client) => {
    const { rows } = await client.query('INSERT INTO campaigns (user_id, name) VALUES ($1, $2) RETURNING id', [
      userId,
      name,
    ])
    const id: string = rows[0].id
    for (const [index, { subject, html, wait }] of steps.entries()) {
      await client.query(
        'INSERT INTO campaign_steps (campaign_id, step_number, subject, html, wait) VALUES ($1, $2, $3, $4, $5)',
        [id, index + 1, subject, html, wait ?? '0'],
      )
    }
    await client.query(
      'INSERT INTO campaign_recipients (campaign_id, email) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING',
      [id, recipients],
    )
    return id
  })
  await withSymphonyFallback(
    'campaignProcessing',
    () => dispatchProcessing([{ id, user_id: userId }]),
    () => undefined,
  )
  return id
}

/** Symphony's part of the cron route: every running campaign is to be looked at. */
export async function dispatchRunningCampaigns(): Promise<{ dispatched: number }> {
  const campaigns = await query<{ id: string; user_id: string }>(
    `SELECT id, user_id FROM campaigns WHERE status = 'running'`,
  )
  return { dispatched: await dispatchProcessing(campaigns) }
}

/** Keyed by the minute: overlapping cron calls make one message per campaign. */
async function dispatchProcessing(campaigns: Array<{ id: string; user_id: string }>): Promise<number> {
  const minute = new Date().toISOString().slice(0, 16)
  const messages = campaigns.map(({ id, user_id }) =>
    buildCampaignMessage({
      campaignId: id,
      userId: user_id,
      action: 'process',
      idempotencyKey: `campaign:${id}:process:${minute}`,
    }),
  )
  return dispatchAll(messages)
}

/** Dispatches the due steps of a campaign, one message per recipient, keyed by recipient and step. */
export async function dispatchDueSteps(campaignId: string): Promise<number> {
  const steps = await dueSteps(campaignId, 5_000)
  const messages = steps.map(({ recipient_id, user_id, step_number }) =>
    buildCampaignMessage({
      campaignId,
      userId: user_id,
      action: 'send_step',
      recipientId: recipient_id,
      stepNumber: step_number,
    }),
  )
  return dispatchAll(messages)
}

async function dispatchAll(messages: Array<ReturnType<typeof buildCampaignMessage>>): Promise<number> {
  if (messages.length === 0) return 0
  const results = await dispatchBatch(messages)
  for (const result of results) if (!result.success && result.error instanceof TransportError) throw result.error
  return results.filter((result) => result.success && result.status === 'queued').length
}

function dueSteps(campaignId: string | null, limit: number): Promise<DueStep[]> {
  return query<DueStep>(
    `SELECT r.id AS recipient_id, r.campaign_id, c.user_id, r.next_step AS step_number
     FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id
     WHERE c.status = 'running' AND r.next_step IS NOT NULL AND r.next_at <= now()
       AND ($1::text IS NULL OR c.id = $1)
     ORDER BY r.next_at LIMIT $2`,
    [campaignId, limit],
  )
}

/**
 * Writes the e-mail of one step for one recipient into `email_queue` and moves the recipient on, in one transaction. Run
 * a second time, it changes nothing.
 *
 * @returns the row's id; `undefined` if recipient or step do not exist.
 */
export async function takeStep(recipientId: string, stepNumber: number): Promise<string | undefined> {
  return transaction(async (client) => {
    await client.query(
      `INSERT INTO email_queue (user_id, mailbox_id, to_email, subject, html, campaign_id, campaign_recipient_id, step_number)
       SELECT c.user_id, 'campaigns', r.email, s.subject, s.html, c.id, r.id, s.step_number
       FROM campaign_recipients r
       JOIN campaigns c ON c.id = r.campaign_id
       JOIN campaign_steps s ON s.campaign_id = c.id AND s.step_number = $2
       WHERE r.id = $1
       ON CONFLICT (campaign_recipient_id, step_number) DO NOTHING`,
      [recipientId, stepNumber],
    )
    await client.query(
      `UPDATE campaign_recipients r
       SET next_step = next.step_number, next_at = now() + COALESCE(next.wait, '0')
       FROM (SELECT 1) AS one
       LEFT JOIN campaign_steps next ON next.step_number = $2::integer + 1
         AND next.campaign_id = (SELECT campaign_id FROM campaign_recipients WHERE id = $1)
       WHERE r.id = $1 AND r.next_step = $2`,
      [recipientId, stepNumber],
    )
    const { rows } = await client.query<{ id: string }>(
      'SELECT id FROM email_queue WHERE campaign_recipient_id = $1 AND step_number = $2',
      [recipientId, stepNumber],
    )
    return rows[0]?.id
  })
}

/** Whether no recipient has a step to come. */
export async function isFinished(campaignId: string): Promise<boolean> {
  const open = 'SELECT FROM campaign_recipients WHERE campaign_id = $1 AND next_step IS NOT NULL LIMIT 1'
  return (await query(open, [campaignId])).length === 0
}

/** Ends a campaign. */
export async function completeCampaign(campaignId: string): Promise<void> {
  await query(`UPDATE campaigns SET status = 'completed' WHERE id = $1`, [campaignId])
}

/** The legacy cron: takes every due step inside the request; the e-mails wait for the other cron. */
export async function processCampaigns(limit = 200): Promise<{ steps: number }> {
  const steps = await dueSteps(null, limit)
  for (const { recipient_id, step_number } of steps) await takeStep(recipient_id, step_number)
  await query(
    `UPDATE campaigns c SET status = 'completed' WHERE status = 'running'
       AND NOT EXISTS (SELECT FROM campaign_recipients r WHERE r.campaign_id = c.id AND r.next_step IS NOT NULL)`,
  )
  return { steps: steps.length }
}
