/** Answers: JSON that is never cached, and errors that tell outsiders nothing internal. */
import { MessageValidationError, SymphonyError } from '../../base/errors.js'
import type { Logger } from '../../base/logger.js'
import { RequestProblem } from './problem.js'

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** A body with its status. */
export class Answer {
  readonly status: number
  readonly body: object

  constructor(body: object, status = 200) {
    this.status = status
    this.body = body
  }
}

/** JSON within a body that is handed through as it is, because a number of JavaScript does not have all of its digits. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What holds a payload, with every digit of that. */
export function exactly<Whole extends { payload: unknown; payloadText: string }>(whole: Whole): object {
  const { payloadText, ...rest } = whole
  return { ...rest, payload: new JsonText(payloadText) }
}

/** Text that is not JSON. */
export function textAnswer(text: string, contentType: string): Response {
  return new Response(text, { headers: { ...HEADERS, 'content-type': contentType } })
}

/** After how many seconds a client should try again. */
const AGAIN_SECONDS = 5

/** A body as JSON; instants become ISO 8601. A 503 says when to try again. */
export function jsonAnswer(body: object, status = 200, headers: Record<string, string> = {}): Response {
  const again: Record<string, string> = status === 503 || status === 429 ? { 'retry-after': String(AGAIN_SECONDS) } : {}
  return new Response(stringify(body), {
    status,
    headers: { ...HEADERS, 'content-type': 'application/json; charset=utf-8', ...again, ...headers },
  })
}

function stringify(body: object): string {
  const texts: string[] = []
  // Nobody knows the words that stand for the texts meanwhile.
  const secret = crypto.randomUUID()
  const json = JSON.stringify(body, (_, value: unknown) => {
    return value instanceof JsonText ? `${secret}${texts.push(value.text) - 1}:` : value
  })
  if (texts.length === 0) return json
  return json.replaceAll(new RegExp(`"${secret}(\\d+):"`, 'g'), (_, place: string) => texts[Number(place)] ?? 'null')
}

/** Whether details may be shown: only if `NODE_ENV` says that this is a developer's machine. */
export function isDevelopment(): boolean {
  return process.env.NODE_ENV === 'development'
}

/** What an error tells the caller: refusals of requests in full, only the code of everything else. */
export function errorAnswer(thrown: unknown, logger: Logger): Response {
  if (thrown instanceof RequestProblem) return problemAnswer(thrown)
  if (thrown instanceof MessageValidationError) {
    const { code, message, path, issues } = thrown
    const found = issues.length > 0 ? issues : undefined
    return jsonAnswer({ success: false, error: { code, message, field: path ?? undefined, issues: found } }, 400)
  }
  logger.error('a request could not be answered', { error: thrown })
  return jsonAnswer({ success: false, error: publicError(thrown) }, isAway(thrown) ? 503 : 500)
}

/** The refusal of a request, in full. */
export function problemAnswer({ status, code, message, field, details, headers }: RequestProblem): Response {
  return jsonAnswer({ success: false, error: { code, message, field, details } }, status, headers)
}

/** An error for a body: its code; its message only in development. */
export function publicError(thrown: unknown): { code: string; message: string } {
  const code = thrown instanceof SymphonyError ? thrown.code : 'SYMPHONY_INTERNAL'
  if (!isDevelopment()) return { code, message: isAway(thrown) ? BUSY : FAILED }
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) }
}

const FAILED = 'the request could not be served; the log of the server says why'
const BUSY = `the queue is busy, or cannot be reached: try again in ${AGAIN_SECONDS} s`

const AWAY = ['SYMPHONY_CONNECTION_FAILED', 'SYMPHONY_TIMEOUT', 'SYMPHONY_STOPPED']

function isAway(thrown: unknown): boolean {
  return thrown instanceof SymphonyError && AWAY.includes(thrown.code)
}
