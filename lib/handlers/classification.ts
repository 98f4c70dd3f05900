/**
 * Whether a failed message is retried.
 *
 * In this order: the handler's `classifyError`; an explicit `HandlerError`; validation errors and HTTP status codes;
 * network errors. The error itself comes before its causes. Unknown errors are retried.
 */
import { HandlerError, MessageValidationError } from '../base/errors.js'
import type { DeliveryContext } from './context.js'
import { retryAfterOf } from './retry-after.js'
import type { ErrorVerdict, MessageHandler } from './types.js'

/** The decision about an error. */
export interface Classification {
  /** Whether a retry makes sense. */
  retryable: boolean
  /** The delay in milliseconds that the error asks for; `null`: as the retry strategy says. */
  retryAfter: number | null
}

/** Requests that will be refused again. */
const PERMANENT = new Set([400, 401, 403, 404, 409, 410, 422])
/** Requests that may be accepted later; 5xx too. */
const TEMPORARY = new Set([408, 425, 429])

/** Classes of validation errors in libraries at large. Zod's classic and mini builds differ in the name. */
const VALIDATION = new Set(['ZodError', '$ZodError', 'ValiError', 'SchemaError', 'ValidationError'])

const NETWORK = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])

/** How far causes are followed: nobody nests deeper, and a cycle must end. */
const DEEPEST = 10

/** The default decision about an error. Never fails, whatever was thrown. */
export function classifyError(error: unknown): Classification {
  try {
    return classify(error)
  } catch {
    // An object whose getters throw.
    return { retryable: true, retryAfter: null }
  }
}

function classify(error: unknown): Classification {
  let current: unknown = error
  for (let depth = 0; depth < DEEPEST && isObject(current); depth += 1) {
    const retryable = verdictOn(current)
    if (retryable !== undefined) return { retryable, retryAfter: retryable ? retryAfterOf(current) : null }
    current = current.cause
  }
  return { retryable: true, retryAfter: isObject(error) ? retryAfterOf(error) : null }
}

/** The decision of a handler about its own error; `undefined` if it leaves it to {@link classifyError}. */
export function askHandler(
  handler: Pick<MessageHandler, 'classifyError'>,
  error: unknown,
  context: DeliveryContext,
): Classification | undefined {
  let verdict: ErrorVerdict
  try {
    verdict = handler.classifyError?.(error, context)
  } catch (thrown) {
    context.log.current.error('classifyError failed; the error is classified as usual', {
      error: thrown,
      type: context.message.type,
    })
    return undefined
  }
  if (verdict === undefined || verdict === null) return undefined
  if (typeof verdict === 'object') return { retryable: verdict.retryable, retryAfter: verdict.retryAfter ?? null }
  return { retryable: verdict, retryAfter: verdict && isObject(error) ? retryAfterOf(error) : null }
}

function verdictOn(error: Record<string, unknown>): boolean | undefined {
  if (error instanceof HandlerError) return error.retryable
  if (error instanceof MessageValidationError) return false
  if (isValidationError(error)) return false
  return verdictOnStatus(statusOf(error)) ?? (isNetworkError(error) ? true : undefined)
}

function isValidationError(error: Record<string, unknown>): boolean {
  if (VALIDATION.has(String(error.name))) return true
  const { issues } = error
  return error instanceof Error && Array.isArray(issues) && issues.length > 0 && issues.every(isIssue)
}

function isIssue(issue: unknown): boolean {
  return isObject(issue) && typeof issue.message === 'string'
}

function statusOf(error: Record<string, unknown>): number | undefined {
  const { status, statusCode, response, $metadata } = error
  const candidates = [
    status,
    statusCode,
    isObject(response) ? (response.status ?? response.statusCode) : undefined,
    isObject($metadata) ? $metadata.httpStatusCode : undefined,
  ]
  return candidates.map(Number).find((code) => Number.isInteger(code) && code >= 100 && code < 600)
}

function verdictOnStatus(status: number | undefined): boolean | undefined {
  if (status === undefined) return undefined
  if (PERMANENT.has(status)) return false
  return TEMPORARY.has(status) || status >= 500 ? true : undefined
}

function isNetworkError(error: Record<string, unknown>): boolean {
  const { code } = error
  return typeof code === 'string' && (NETWORK.has(code) || code.startsWith('UND_ERR_'))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
