/**
 * An SMTP server that keeps what it gets, for development and tests.
 *
 * It refuses a mail to `busy…@…` twice (450, may pass later), told by its `Message-ID`, and `nobody…@…` for good (550),
 * until `accept()` is told otherwise.
 */
import { SMTPServer } from 'smtp-server'

/**
 * @typedef {{ id: string, to: string, subject: string }} Mail
 *
 * @param {{ port?: number, latency?: number }} [options] `latency`: milliseconds before a mail is accepted.
 */
export async function startMailServer({ port = 0, latency = 0 } = {}) {
  /** @type {Mail[]} */
  const mails = []
  /** How often a mail was refused, by its id. @type {Map<string, number>} */
  const tries = new Map()
  /** @type {Map<string, number>} */
  const refusals = new Map()
  /** @type {Set<string>} */
  const accepted = new Set()

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo({ address }, _session, callback) {
      callback(address.startsWith('nobody') ? refusal(address, 550, 'no such mailbox') : undefined)
    },
    onData(stream, session, callback) {
      receive(stream, session).then(() => callback(), callback)
    },
  })
  // Such as a client that was killed in the middle of a mail.
  server.on('error', () => {})

  /**
   * @param {import('node:stream').Readable} stream
   * @param {import('smtp-server').SMTPServerSession} session
   * @throws When the client is gone before the mail is whole: then it does not count. When it is refused.
   */
  async function receive(stream, session) {
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk
    const id = header(text, 'Message-ID').slice(1, -1)
    const busy = session.envelope.rcptTo.find(({ address }) => address.startsWith('busy'))
    const before = tries.get(id) ?? 0
    const refused = busy && before < 2 && refusal(busy.address, 450, 'mailbox busy')
    if (refused) {
      tries.set(id, before + 1)
      throw refused
    }
    if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency))
    for (const { address } of session.envelope.rcptTo) {
      mails.push({ id, to: address, subject: header(text, 'Subject') })
    }
  }

  /** @param {string} address @param {number} responseCode @param {string} reason */
  function refusal(address, responseCode, reason) {
    if (accepted.has(address)) return undefined
    refusals.set(address, (refusals.get(address) ?? 0) + 1)
    return Object.assign(new Error(reason), { responseCode })
  }

  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined)),
  )
  const address = /** @type {import('node:net').AddressInfo} */ (server.server.address())
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    /** Everything that was accepted. */
    mails,
    /** How often an address was refused. @param {string} to */
    refused: (to) => refusals.get(to) ?? 0,
    /** The mailbox exists from now on. @param {string} to */
    accept: (to) => accepted.add(to),
    stop: () => new Promise((resolve) => server.close(() => resolve(undefined))),
  }
}

/** @param {string} text @param {string} name */
function header(text, name) {
  return (
    new RegExp(`^${name}: *(.*(?:\\r?\\n[ \\t].*)*)`, 'im')
      .exec(text)?.[1]
      .replaceAll(/\r?\n\s*/g, ' ')
      .trim() ?? ''
  )
}
