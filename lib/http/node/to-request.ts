/** From a request of Node.js to a `Request`. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { methodNotAllowed } from '../routes/handler.js'

type Body = RequestInit['body']

const BODILESS = ['GET', 'HEAD']

/** Methods that no `Request` has (Fetch standard, "forbidden method"), and those that a route may have. */
const FORBIDDEN = ['CONNECT', 'TRACE', 'TRACK']
const ROUTED = ['DELETE', 'GET', 'POST']

/**
 * The request as routes take it.
 *
 * @param parsed where a framework has left the body that it has read, as `body`.
 * @throws RequestProblem 405 for a method that no `Request` has.
 */
export function toRequest(incoming: IncomingMessage, parsed: { body?: unknown }): Request {
  const { method = 'GET', headers, socket } = incoming
  if (FORBIDDEN.includes(method)) throw methodNotAllowed(method, ROUTED)
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  const url = new URL(`${scheme}://${hostOf(headers.host)}${pathOf(incoming)}`)
  const body = BODILESS.includes(method) ? null : bodyOf(incoming, parsed.body)
  return new Request(url, { method, headers: headersOf(incoming), body, duplex: 'half' } as RequestInit)
}

/** The name that was asked for; something in its place if it is none. */
function hostOf(host: string | undefined): string {
  return host !== undefined && URL.canParse(`http://${host}`) ? host : 'localhost'
}

/** As it was asked for: a router that is mounted somewhere takes its own path away. */
function pathOf(incoming: IncomingMessage & { originalUrl?: unknown }): string {
  const path = typeof incoming.originalUrl === 'string' ? incoming.originalUrl : (incoming.url ?? '/')
  return path.startsWith('/') ? path : '/'
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers()
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    const [name = '', value = ''] = incoming.rawHeaders.slice(index, index + 2)
    // HTTP/2 has pseudo headers.
    if (!name.startsWith(':')) headers.append(name, value)
  }
  return headers
}

/** What is still to be read, or what has been. */
function bodyOf(incoming: IncomingMessage, parsed: unknown): Body {
  if (!incoming.readableDidRead) return Readable.toWeb(incoming) as Body
  if (parsed === undefined || parsed === null) return null
  if (typeof parsed === 'string' || parsed instanceof Uint8Array) return parsed as Body
  return JSON.stringify(parsed)
}
