/** Routes for servers that have requests and responses of Node.js, or what frameworks put around them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigurationError } from '../../base/errors.js'
import { shown } from '../../base/options.js'
import { problemAnswer } from '../responses/answer.js'
import { badRequest, RequestProblem } from '../responses/problem.js'
import type { RouteHandler } from '../routes/handler.js'
import { toRequest } from './to-request.js'

/** What Fastify gives its handlers. */
export interface FastifyRequestLike {
  raw: IncomingMessage
  body?: unknown
}

/** Where Fastify's handlers answer. */
export interface FastifyReplyLike {
  raw: ServerResponse
  hijack(): unknown
}

/** What Koa gives its middleware. */
export interface KoaContextLike {
  req: IncomingMessage
  request: object
  status: number
  body: unknown
  set(headers: Record<string, string>): void
}

/** A handler for `node:http`, Express, Fastify and Koa: it sees from what it is called with which of them it serves. */
export interface NodeHandler {
  /** For `createServer()` of `node:http`, and for Express 4 and 5. */
  (request: IncomingMessage, response: ServerResponse): Promise<void>
  /** For Fastify 4 and 5. */
  (request: FastifyRequestLike, reply: FastifyReplyLike): Promise<void>
  /** For Koa. */
  (context: KoaContextLike): Promise<void>
}

/**
 * A route for servers that do not know `Request` and `Response`. The body may have been parsed before, as
 * `express.json()` and Fastify do; then numbers beyond 9007199254740991 have lost digits.
 *
 * @throws ConfigurationError at once, for what is not a route, and where it is called with what is not of Node.js: a
 * promise that rejects would leave the sender waiting.
 *
 * @param route what {@link createSymphonyRoute}, {@link createWorkerRoute} or {@link createSchedulerRoute} returned.
 *
 * @example
 * app.all('/api/symphony/*path', toNodeHandler(createSymphonyRoute({ authorize })))
 */
export function toNodeHandler(route: { handle: RouteHandler }): NodeHandler {
  const { handle } = mustBeRoute(route)
  const serve = async (first: IncomingMessage | FastifyRequestLike | KoaContextLike, second?: unknown) => {
    if (isOfKoa(first)) return answerKoa(first, await handled(handle, () => toRequest(first.req, first.request)))
    if ('raw' in first) {
      const { raw, hijack } = second as FastifyReplyLike
      hijack.call(second)
      return answer(raw, await handled(handle, () => toRequest(first.raw, first)))
    }
    const asked = await handled(handle, () => toRequest(first, first as { body?: unknown }))
    return answer(second as ServerResponse, asked)
  }
  return (first: IncomingMessage | FastifyRequestLike | KoaContextLike, second?: unknown) => {
    mustBeOfNode(first)
    return serve(first, second)
  }
}

function mustBeRoute<Route extends { handle: RouteHandler }>(route: Route): Route {
  if (typeof route?.handle === 'function') return route
  const got = typeof route === 'function' ? 'a function' : shown(route)
  throw new ConfigurationError(`toNodeHandler: got ${got}, wants a route, such as createSymphonyRoute() gives`)
}

function isOfKoa(given: object): given is KoaContextLike {
  return 'req' in given && 'request' in given
}

function mustBeOfNode(given: object | undefined): void {
  if (typeof given === 'object' && given !== null) {
    if (isOfKoa(given) || 'raw' in given || 'rawHeaders' in given) return
  }
  throw new ConfigurationError(
    'what toNodeHandler(route) returned is for Express, Fastify, Koa and node:http, and was called with something else: ' +
      'where there is a Request, call route.handle(request) itself',
  )
}

/**
 * Never rejects: servers leave the promise of a handler to itself, and a rejection that nobody catches ends the process.
 * What Node.js reads as a request is not always a `Request`: the methods CONNECT, TRACE and TRACK are none.
 */
async function handled(handle: RouteHandler, read: () => Request): Promise<Response> {
  let request: Request
  try {
    request = read()
  } catch (error) {
    return problemAnswer(error instanceof RequestProblem ? error : badRequest(`the request: ${String(error)}`))
  }
  return handle(request)
}

async function answer(outgoing: ServerResponse, response: Response): Promise<void> {
  const body = await bytesOf(response)
  // The one who asked may have gone in the meantime.
  if (outgoing.destroyed) return
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value)
  outgoing.writeHead(response.status).end(body)
}

async function answerKoa(context: KoaContextLike, response: Response): Promise<void> {
  context.status = response.status
  context.set(Object.fromEntries(response.headers))
  context.body = await bytesOf(response)
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}
