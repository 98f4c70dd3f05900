/** What the example talks to: a mail server and an SMS provider, on real sockets. */
import { pathToFileURL } from 'node:url'
import { inExample } from './paths.mjs'

/**
 * @typedef {{ refused: (to: string) => number, accept: (to: string) => void, stop: () => Promise<unknown>, url: string }} Stub
 * @typedef {Stub & { mails: Array<{ id: string, to: string, subject: string }> }} MailServer
 * @typedef {Stub & { sent: Map<string, { key: string, to: string, text: string }>, repeats: () => number }} SMSServer
 */

/**
 * Imported when they are started: before that, the packages of the example need not be installed.
 *
 * @param {{ latency?: number }} [options] Milliseconds that each of them takes.
 * @returns {Promise<{ mail: MailServer, sms: SMSServer, stop: () => Promise<unknown> }>}
 */
export async function startSurroundings(options) {
  const load = (name) => import(pathToFileURL(inExample('dev', name)).href)
  const [{ startMailServer }, { startSMSServer }] = await Promise.all([load('mail-server.mjs'), load('sms-server.mjs')])
  const [mail, sms] = await Promise.all([startMailServer(options), startSMSServer(options)])
  return { mail, sms, stop: () => Promise.all([mail.stop(), sms.stop()]) }
}
