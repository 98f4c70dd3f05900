/** What routes are made of: functions from a `Request` to a `Response` that never reject. */
import { type Answer, errorAnswer, jsonAnswer } from '../responses/answer.js'
import { RequestProblem } from '../responses/problem.js'

/** What Next.js passes beside the request to a route with dynamic segments. */
export interface RouteContext {
  /** The dynamic segments of the path. */
  params: Promise<Record<string, string | string[] | undefined>>
}

/** A handler, for a `route.ts` of Next.js and for every server that has `Request` and `Response`. It never rejects. */
export type RouteHandler = (request: Request) => Promise<Response>

/** A handler of a catch-all route. Its second parameter is not optional, since the type check of Next.js wants it so. */
export type CatchAllHandler = (request: Request, context: RouteContext) => Promise<Response>

/** Answers whatever happens, errors included. */
export async function answering(work: () => Promise<Answer | Response>): Promise<Response> {
  try {
    const answer = await work()
    return answer instanceof Response ? answer : jsonAnswer(answer.body, answer.status)
  } catch (thrown) {
    return errorAnswer(thrown)
  }
}

/** The refusal of a method that a path does not know. */
export function methodNotAllowed(method: string, allowed: string[]): RequestProblem {
  const allow = allowed.join(', ')
  const message = `${method} is not possible here, only ${allow}`
  return new RequestProblem(405, 'SYMPHONY_METHOD_NOT_ALLOWED', message, { headers: { allow } })
}
