/** Middleware: code around the handlers of every message. */

import { HandlerError, MessageValidationError } from '../base/errors.js'
import { type Log, type Logger, processLog, reliable } from '../base/logger.js'
import { bestPattern } from '../base/pattern.js'
import { safely } from '../base/safely.js'
import { parsePayload } from '../message/schema.js'
import type { StandardSchema } from '../message/standard-schema.js'
import { validateMessage } from '../message/validation.js'
import { type Classification, classifyError } from './classification.js'
import type { DeliveryContext } from './context.js'
import { reportError } from './error-report.js'
import { isOutcome } from './outcomes.js'
import type { HandlerContext, MessageEnvelope } from './types.js'

/** Runs the rest: further middleware, then the handlers. Rejects with the first handler's error. */
export type Next = () => Promise<unknown>

/**
 * Runs around the handlers of one message.
 *
 * If it throws, the message fails; if it swallows the error of `next()`, the message counts as handled. It may return
 * `snooze(…)` or `discard(…)` without calling `next()`; if it does neither, the message fails for good, since no handler
 * has seen it. A `next()` that it does not await is awaited for it.
 */
export type Middleware = (envelope: MessageEnvelope, context: HandlerContext, next: Next) => Promise<unknown>

/** Runs `innermost` inside all middleware, the first one outermost. */
export async function runThrough(
  middleware: readonly Middleware[],
  context: HandlerContext,
  innermost: Next,
  index = 0,
): Promise<unknown> {
  const current = middleware[index]
  if (current === undefined) return innermost()
  let rest: Promise<unknown> | undefined
  let isRunning = false
  const next: Next = () => {
    if (rest !== undefined) return Promise.reject(new HandlerError('a middleware called next() twice', false))
    isRunning = true
    rest = runThrough(middleware, context, innermost, index + 1).finally(() => {
      isRunning = false
    })
    return rest
  }
  const returned = await current(context, context, next)
  if (rest === undefined && !isOutcome(returned) && !hasOutcome(context)) throw new HandlerError(ENDED_BY_NOBODY, false)
  if (!isRunning) return returned
  const late = await rest
  return returned ?? late
}

const ENDED_BY_NOBODY =
  'a middleware neither called next() nor returned snooze() or discard(), so that no handler saw the message'

function hasOutcome(context: HandlerContext): boolean {
  return (context as Partial<DeliveryContext>).hasOutcome === true
}

/** A context of the application's own making has no log. */
function logOf(context: HandlerContext): Log {
  return (context as Partial<DeliveryContext>).log ?? processLog()
}

/** Logs start, success (`debug`) and failure (`warn`) of every message with its duration; never payload contents. */
export function loggingMiddleware(options: { logger?: Logger } = {}): Middleware {
  const own = options.logger && reliable(options.logger)
  return async (envelope, context, next) => {
    const { messageId, transport, attempt } = context
    const facts = { messageId, type: envelope.message.type, transport, attempt }
    const logger = own ?? logOf(context).current
    const started = performance.now()
    logger.debug('handling', facts)
    try {
      const result = await next()
      logger.debug('handled', { ...facts, duration: since(started) })
      return result
    } catch (error) {
      const { class: errorClass, message } = reportError(error)
      logger.warn('failed', { ...facts, duration: since(started), errorClass, error: message })
      throw error
    }
  }
}

/**
 * Validates messages before their handlers run. Without schemas: that they are messages at all.
 *
 * @param schemas message types, or patterns, to schemas.
 * @throws MessageValidationError, which is not retried.
 */
export function validationMiddleware(schemas: Record<string, StandardSchema> = {}): Middleware {
  return async (envelope, _context, next) => {
    const { type, payload } = validateMessage(envelope.message)
    const schema = schemas[bestPattern(Object.keys(schemas), type) ?? '']
    if (schema !== undefined) await parsePayload(schema, type, payload)
    return next()
  }
}

/**
 * Turns every error into a `HandlerError` that says whether to retry, with the original as its `cause`.
 *
 * @param classify decides; if it returns `undefined` or throws, the default rules apply.
 */
export function errorClassificationMiddleware(
  classify: (error: unknown, context: HandlerContext) => boolean | undefined = () => undefined,
): Middleware {
  return async (_envelope, context, next) => {
    try {
      return await next()
    } catch (error) {
      const verdict = safely('the function of errorClassificationMiddleware', () => classify(error, context), {
        once: classify,
        log: logOf(context),
      })
      throw explicit(error, decide(verdict, error))
    }
  }
}

function decide(verdict: boolean | undefined, error: unknown): Classification {
  const usual = classifyError(error)
  return verdict === undefined ? usual : { retryable: verdict, retryAfter: verdict ? usual.retryAfter : null }
}

function explicit(error: unknown, { retryable, retryAfter }: Classification): unknown {
  if (error instanceof HandlerError && error.retryable === retryable) return error
  if (error instanceof MessageValidationError && !retryable) return error
  const details = retryAfter === null ? undefined : { retryAfter: retryAfter / 1_000 }
  return new HandlerError(reportError(error).message, retryable, details, { cause: error })
}

/** How long one message took. */
export interface Measurement {
  /** The message's id. */
  messageId: string
  /** Its type. */
  type: string
  /** The transport it came from. */
  transport: string
  /** Which run it was; the first is 1. */
  attempt: number
  /** Milliseconds. */
  duration: number
  /** Whether its handlers succeeded. */
  success: boolean
}

/**
 * Measures every message.
 *
 * @param options.slowerThan milliseconds above which a message is logged as slow (`warn`); 1,000 by default.
 * @param options.onMeasure called with each measurement.
 */
export function performanceMiddleware(
  options: { slowerThan?: number; onMeasure?: (measurement: Measurement) => void } = {},
): Middleware {
  const slowerThan = options.slowerThan ?? 1_000
  return async (envelope, context, next) => {
    const started = performance.now()
    let success = false
    try {
      const result = await next()
      success = true
      return result
    } finally {
      const { messageId, transport, attempt } = context
      const duration = since(started)
      const measurement = { messageId, type: envelope.message.type, transport, attempt, duration, success }
      const { onMeasure } = options
      if (onMeasure !== undefined) {
        safely('onMeasure', () => onMeasure(measurement), { once: onMeasure, log: logOf(context) })
      }
      if (duration >= slowerThan) context.logger.warn('slow message', { duration, success })
    }
  }
}

function since(started: number): number {
  return Math.round((performance.now() - started) * 1_000) / 1_000
}
