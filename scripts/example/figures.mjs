/** The line that `npm run example` prints. */

/**
 * How much waits, and how much has arrived.
 *
 * @param {string} url Of the server.
 * @param {string} token The operator's.
 * @param {{ mail: { mails: object[] }, sms: { sent: Map<string, object> } }} surroundings
 */
export async function figures(url, token, { mail, sms }) {
  const { queue, failedMessages } = await askOperator(url, 'status', token)
  return [
    `${queue.pending} due`,
    `${queue.delayed} delayed`,
    `${queue.processing} running`,
    `${failedMessages} dead letters`,
    `${mail.mails.length} e-mails and ${sms.sent.size} SMS arrived`,
  ].join(' · ')
}

async function askOperator(url, path, token) {
  const response = await fetch(`${url}/api/symphony/${path}`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new Error(`GET /api/symphony/${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}
