/** The table `email_queue`, and the two ways its e-mails go out: Symphony, or the cron route that was there before. */
import { dispatchBatch, TransportError } from '@leadmap/symphony'
import { buildEmailMessage, withSymphonyFallback } from '@leadmap/symphony/utils'
import { query, transaction } from './database'
import { sendMail } from './mail'

export interface NewEmail {
  userId: string
  mailboxId: string
  toEmail: string
  subject: string
  html: string
  scheduledAt?: Date
}

interface EmailRow {
  id: string
  user_id: string
  mailbox_id: string
  to_email: string
  subject: string
  html: string
  campaign_id: string | null
  campaign_recipient_id: string | null
  scheduled_at: Date
  attempts: number
}

/** Writes an e-mail into the queue. With the flag on it is on its way at once, else the cron finds it. */
export async function queueEmail(email: NewEmail): Promise<string> {
  const [id] = await queueEmails([email])
  return id as string
}

/** The same for many, in one statement. */
export async function queueEmails(emails: NewEmail[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `INSERT INTO email_queue (user_id, mailbox_id, to_email, subject, html, scheduled_at)
     SELECT "userId", "mailboxId", "toEmail", subject, html, COALESCE("scheduledAt", now())
     FROM json_to_recordset($1) AS email
       ("userId" text, "mailboxId" text, "toEmail" text, subject text, html text, "scheduledAt" timestamptz)
     RETURNING id`,
    [JSON.stringify(emails)],
  )
  const ids = rows.map(({ id }) => id)
  await handOver(ids)
  return ids
}

/** Dispatches rows just written. When that fails they stay queued, and the next cron call sees them. */
export async function handOver(ids: string[]): Promise<void> {
  await withSymphonyFallback(
    'emailQueue',
    () => dispatchRows(ids),
    () => undefined,
  )
}

/** Symphony's part of the cron route: rows that are due become messages. */
export async function dispatchDueEmails(): Promise<{ dispatched: number }> {
  return { dispatched: await dispatchRows(null) }
}

/**
 * Dispatches queued rows, those named or those that are due, and marks them, under one lock. When the process dies in
 * between, the rows are dispatched again with the same keys, and Symphony answers that it has them.
 */
async function dispatchRows(ids: string[] | null, limit = 1_000): Promise<number> {
  return transaction(async (client) => {
    const { rows } = await client.query<EmailRow>(
      `SELECT * FROM email_queue
       WHERE status = 'queued' AND CASE WHEN $1::text[] IS NULL THEN scheduled_at <= now() ELSE id = ANY($1) END
       ORDER BY scheduled_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [ids, limit],
    )
    if (rows.length === 0) return 0
    const results = await dispatchBatch(rows.map(toMessage))
    const dispatched = rows.filter((_, index) => results[index]?.success)
    await client.query(`UPDATE email_queue SET status = 'dispatched' WHERE id = ANY($1)`, [
      dispatched.map(({ id }) => id),
    ])
    for (const [index, result] of results.entries()) {
      if (result.success) continue
      if (result.error instanceof TransportError) throw result.error
      await client.query(`UPDATE email_queue SET status = 'failed', last_error = $2 WHERE id = $1`, [
        rows[index]?.id,
        result.error.message,
      ])
    }
    return dispatched.length
  })
}

function toMessage(row: EmailRow) {
  return buildEmailMessage({
    emailId: row.id,
    userId: row.user_id,
    mailboxId: row.mailbox_id,
    toEmail: row.to_email,
    subject: row.subject,
    html: row.html,
    campaignId: row.campaign_id ?? undefined,
    campaignRecipientId: row.campaign_recipient_id ?? undefined,
    scheduledAt: row.scheduled_at > new Date() ? row.scheduled_at : undefined,
  })
}

/** Whether the e-mail of this row went out already, by whichever way. */
export async function isSent(emailId: string): Promise<boolean> {
  return (await query(`SELECT FROM email_queue WHERE id = $1 AND status = 'sent'`, [emailId])).length > 0
}

/** Notes why a run did not succeed, for people who look at the table. */
export async function noteFailure(emailId: string, error: unknown): Promise<void> {
  const text = error instanceof Error ? error.message : String(error)
  await query(`UPDATE email_queue SET attempts = attempts + 1, last_error = $2 WHERE id = $1`, [emailId, text])
}

/** The legacy cron: takes some rows that are due and sends them, one after the other, inside the request. */
export async function sendDueEmails(limit = 50): Promise<{ sent: number; failed: number }> {
  const rows = await query<EmailRow>(
    `UPDATE email_queue SET status = 'sending', attempts = attempts + 1
     WHERE id IN (
       SELECT id FROM email_queue WHERE status = 'queued' AND scheduled_at <= now()
       ORDER BY scheduled_at LIMIT $1 FOR UPDATE SKIP LOCKED
     ) RETURNING *`,
    [limit],
  )
  let sent = 0
  for (const row of rows) {
    try {
      await sendMail({ id: row.id, to: row.to_email, subject: row.subject, html: row.html })
      await query(`UPDATE email_queue SET status = 'sent', sent_at = now() WHERE id = $1`, [row.id])
      sent += 1
    } catch (error) {
      const status = row.attempts < 3 ? 'queued' : 'failed'
      await query(`UPDATE email_queue SET status = $2, last_error = $3 WHERE id = $1`, [row.id, status, String(error)])
    }
  }
  return { sent, failed: rows.length - sent }
}
