/**
 * An SMTP server that keeps what it gets, for development and tests.
 *
 * It refuses `busy…@…` twice (450, may pass later) and `nobody…@…` for good (550), until `accept()` is told otherwise.
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
      const code = refusalOf(address)
      if (code === undefined) return callback()
      callback(Object.assign(new Error(code === 450 ? 'mailbox busy' : 'no such mailbox'), { responseCode: code }))
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
   * @throws When the client is gone before the mail is whole: then it does not count.
   */
  async function receive(stream, session) {
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk
    if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency))
    for (const { address } of session.envelope.rcptTo) {
      mails.push({ id: header(text, 'Message-ID').slice(1, -1), to: address, subject: header(text, 'Subject') })
    }
  }

  /** @param {string} address */
  function refusalOf(address) {
    if (accepted.has(address)) return undefined
    const before = refusals.get(address) ?? 0
    const code = address.startsWith('nobody') ? 550 : address.startsWith('busy') && before < 2 ? 450 : undefined
    if (code !== undefined) refusals.set(address, before + 1)
    return code
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
