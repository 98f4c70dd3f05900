/** Messages as the tests dispatch them over HTTP. */
import type { Application } from './application.js'

/** An e-mail that has no row in `email_queue`. */
export function email(to: string) {
  const payload = {
    emailId: `e2e-${to}`,
    userId: 'u1',
    mailboxId: 'm1',
    toEmail: to,
    subject: 'Hello',
    html: '<p>Hi</p>',
  }
  return { message: { type: 'EmailMessage', payload } }
}

export function sms(to: string) {
  return { message: { type: 'SMSMessage', payload: { to, message: 'Hello' } } }
}

/** The first step of a campaign, for each of its recipients. */
export async function campaignSteps({ database }: Application, addresses: string[]) {
  const [campaign] = await database.query(`INSERT INTO campaigns (user_id, name) VALUES ('u1', 'e2e') RETURNING id`)
  const campaignId = campaign?.id
  await database.query(
    `INSERT INTO campaign_steps (campaign_id, step_number, subject, html) VALUES ($1, 1, 'Step', '<p>Step</p>')`,
    [campaignId],
  )
  const recipients = await database.query(
    'INSERT INTO campaign_recipients (campaign_id, email) SELECT $1, unnest($2::text[]) RETURNING id',
    [campaignId, addresses],
  )
  const payload = { campaignId, userId: 'u1', action: 'send_step', stepNumber: 1 }
  return recipients.map(({ id }) => ({
    message: { type: 'CampaignMessage', payload: { ...payload, recipientId: id } },
  }))
}

/** `count` names, such as `lead-7@example.com`. */
export function numbered(count: number, make: (number: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index + 1))
}
