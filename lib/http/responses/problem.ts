/** What is wrong with a request, with the status of the answer. */

/** How a request is refused. Its message is for the sender of the request. */
export class RequestProblem extends Error {
  /** The HTTP status. */
  readonly status: number
  /** The stable code. */
  readonly code: string
  /** The field of the body, or the parameter of the query, that is wrong. */
  readonly field: string | undefined
  /** Facts for programs, such as where in the field the mistake is. */
  readonly details: unknown
  /** Headers of the answer. */
  readonly headers: Record<string, string>

  constructor(
    status: number,
    code: string,
    message: string,
    more: { field?: string; details?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.field = more.field
    this.details = more.details
    this.headers = more.headers ?? {}
  }
}

/** An invalid body or query. */
export function badRequest(message: string, field?: string): RequestProblem {
  return new RequestProblem(400, 'SYMPHONY_INVALID_REQUEST', message, { field })
}

/** Something that does not exist. */
export function notFound(message: string): RequestProblem {
  return new RequestProblem(404, 'SYMPHONY_NOT_FOUND', message)
}
