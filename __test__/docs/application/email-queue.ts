/** The table of e-mails of the application that the documents show. */

export interface EmailRow {
  emailId: string
  userId: string
  mailboxId: string
  toEmail: string
  subject: string
  html: string
}

export interface NewEmail {
  toEmail: string
  subject: string
  html: string
  scheduledAt?: Date
}

const rows: EmailRow[] = []

export async function transaction<T>(work: () => Promise<T>): Promise<T> {
  return work()
}

export async function insertRow({ toEmail, subject, html }: NewEmail): Promise<EmailRow> {
  const row = { emailId: String(rows.length), userId: 'u1', mailboxId: 'm1', toEmail, subject, html }
  rows.push(row)
  return row
}

export async function lockDueRows(): Promise<EmailRow[]> {
  return rows
}

export async function markDispatched(ids: string[]): Promise<void> {
  console.log(ids.length)
}

export async function dispatchDueEmails(): Promise<{ dispatched: number }> {
  return { dispatched: rows.length }
}

export async function sendDueEmails(): Promise<{ sent: number }> {
  return { sent: rows.length }
}

export async function isSent(emailId: string): Promise<boolean> {
  return emailId === ''
}

export async function recordSent(emailId: string, messageId: string): Promise<void> {
  console.log(emailId, messageId)
}
