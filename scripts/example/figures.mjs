/** The line that `npm run example` prints. */

/**
 * How much waits, and how much has arrived.
 *
 * @param {string} url Of the server.
 * @param {string} token The operator's.
 * @param {{ mail: { mails: object[] }, sms: { sent: Map<string, object> } }} surroundings
 */
export async function figures(url, token, { mail, sms }) {
  const response = await fetch(`${url}/api/symphony/status`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new Error(`GET /api/symphony/status answered ${response.status}: ${await response.text()}`)
  const { queue, failedMessages } = await response.json()
  return [
    `${queue.pending} due`,
    `${queue.delayed} delayed`,
    `${queue.processing} running`,
    `${failedMessages} dead letters`,
    `${mail.mails.length} e-mails and ${sms.sent.size} SMS arrived`,
  ].join(' · ')
}
