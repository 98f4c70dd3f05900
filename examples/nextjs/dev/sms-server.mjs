/**
 * What an SMS provider looks like over HTTP, for development and tests: `POST /messages` with `{ to, text }` and an
 * `Idempotency-Key`. A key that it has seen is answered as before and sent once.
 *
 * It answers 503 to numbers that contain `503`, twice, and 400 to those that contain `400`, until `accept()` is told
 * otherwise.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'

/**
 * @typedef {{ key: string, to: string, text: string }} SMS
 *
 * @param {{ port?: number, latency?: number }} [options] `latency`: milliseconds before an SMS is accepted.
 */
export async function startSMSServer({ port = 0, latency = 0 } = {}) {
  /** @type {Map<string, SMS>} */
  const sent = new Map()
  /** @type {Map<string, number>} */
  const refusals = new Map()
  /** @type {Set<string>} */
  const accepted = new Set()
  let repeats = 0

  const server = createServer(async (request, response) => {
    const answer = (/** @type {number} */ status, /** @type {object} */ body, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    if (request.method !== 'POST' || request.url !== '/messages') return answer(404, { error: 'POST /messages' })

    const { to, text } = await body(request)
    const key = request.headers['idempotency-key']
    if (typeof to !== 'string' || typeof text !== 'string' || typeof key !== 'string') {
      return answer(400, { error: 'wants to, text and the header Idempotency-Key' })
    }
    const refusal = refusalOf(to)
    if (refusal !== undefined)
      return answer(refusal, { error: 'refused' }, refusal === 503 ? { 'retry-after': '0' } : {})
    if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency))
    if (sent.has(key)) {
      repeats += 1
      return answer(200, { key })
    }
    sent.set(key, { key, to, text })
    answer(201, { key })
  })

  /** @param {string} to */
  function refusalOf(to) {
    if (accepted.has(to)) return undefined
    const before = refusals.get(to) ?? 0
    const status = to.includes('400') ? 400 : to.includes('503') && before < 2 ? 503 : undefined
    if (status !== undefined) refusals.set(to, before + 1)
    return status
  }

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${address.port}`,
    /** By key. */
    sent,
    /** How many requests brought a key that had been seen. */
    repeats: () => repeats,
    /** How often a number was refused. @param {string} to */
    refused: (to) => refusals.get(to) ?? 0,
    /** The number is fine from now on. @param {string} to */
    accept: (to) => accepted.add(to),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** @param {import('node:http').IncomingMessage} request */
async function body(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
