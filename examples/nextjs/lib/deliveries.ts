/** What handlers have done, by message id: the reason why a message that comes twice has one effect. */
import { query } from './database'

/** Whether this message has had its effect. */
export async function isDelivered(messageId: string): Promise<boolean> {
  return (await query('SELECT FROM deliveries WHERE message_id = $1', [messageId])).length > 0
}

/** Notes an e-mail as sent, in `deliveries` and in its row of `email_queue`, in one statement. */
export async function recordEmail(messageId: string, recipient: string, emailId: string): Promise<void> {
  await query(
    `WITH delivery AS (
       INSERT INTO deliveries (message_id, kind, recipient) VALUES ($1, 'email', $2) ON CONFLICT DO NOTHING
     )
     UPDATE email_queue SET status = 'sent', sent_at = now(), last_error = NULL WHERE id = $3 AND status <> 'sent'`,
    [messageId, recipient, emailId],
  )
}

/** Notes an SMS as sent. */
export async function recordSMS(messageId: string, recipient: string): Promise<void> {
  await query(`INSERT INTO deliveries (message_id, kind, recipient) VALUES ($1, 'sms', $2) ON CONFLICT DO NOTHING`, [
    messageId,
    recipient,
  ])
}
