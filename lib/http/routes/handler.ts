/** What routes consist of: functions from a `Request` to a `Response` that never reject. */
import { ConfigurationError } from '../../base/errors.js'
import type { Symphony } from '../../symphony.js'
import { type Answer, errorAnswer, jsonAnswer } from '../responses/answer.js'
import { RequestProblem } from '../responses/problem.js'

/** What Next.js passes in addition to the request to a route with dynamic segments. */
export interface RouteContext {
  /** The dynamic segments of the path. */
  params: Promise<Record<string, string | string[] | undefined>>
}

/** A handler, for a `route.ts` of Next.js and for every server that has `Request` and `Response`. It never rejects. */
export type RouteHandler = (request: Request) => Promise<Response>

/** A handler of a catch-all route. Its second parameter is required, because the type check of Next.js requires it. */
export type CatchAllHandler = (request: Request, context: RouteContext) => Promise<Response>

/** Always answers, also when errors occur; those are told in the log of the queue. */
export async function answering(symphony: Symphony, work: () => Promise<Answer | Response>): Promise<Response> {
  try {
    const answer = await work()
    return answer instanceof Response ? answer : jsonAnswer(answer.body, answer.status)
  } catch (thrown) {
    return errorAnswer(thrown, symphony.getLogger())
  }
}

/**
 * Refuses anything but a `Request`, such as that of Express, at once: a promise that rejects would leave its sender waiting.
 *
 * @throws ConfigurationError
 */
export function mustBeRequest(request: Request): void {
  if (typeof request?.headers?.get === 'function' && typeof request.url === 'string') return
  throw new ConfigurationError(
    'a route takes a Request and returns a Response, and was called with something else: for Express, Fastify, Koa and ' +
      'node:http, wrap it as toNodeHandler(route), from @leadmap/symphony/http',
  )
}

/** The refusal of a method that a path does not support. */
export function methodNotAllowed(method: string, allowed: string[]): RequestProblem {
  const allow = allowed.join(', ')
  const message = `${method} is not possible here, only ${allow}`
  return new RequestProblem(405, 'SYMPHONY_METHOD_NOT_ALLOWED', message, { headers: { allow } })
}
