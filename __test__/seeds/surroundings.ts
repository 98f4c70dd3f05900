/** What the snippets use and do not say where it comes from. */

export const message = { type: 'EmailMessage', payload: { to: 'user@example.com', subject: 'Hello' } }
export const message1 = { type: 'EmailMessage', payload: { n: 1 } }
export const message2 = { type: 'SMSMessage', payload: { n: 2 } }
export const message3 = { type: 'CampaignMessage', payload: { n: 3 } }
export const messages = [message1, message2, message3]

/** The dead letter that a snippet retries. */
export let failedMessageId = ''

export function setFailedMessageId(id: string): void {
  failedMessageId = id
}
