/**
 * What a handler returned: one of its outcomes, what nobody looks at, or a mistake that would count as success.
 *
 * Outside production a mistake fails the run for good, at once and with a remedy; in production, where the work is done
 * by then, it is logged once a minute for each handler.
 */
import { types } from 'node:util'
import { HandlerError } from '../base/errors.js'
import { isPlainObject } from '../base/plain-object.js'
import type { DeliveryContext } from './context.js'
import type { HandlerEntry } from './entry.js'
import { type HandlerOutcome, isOutcome } from './outcomes.js'

/** How often the mistake of one handler is logged, in milliseconds. */
const LOGGED_EVERY_MS = 60_000

const logged = new WeakMap<HandlerEntry, number>()

/** Whether mistakes fail the run. Asked once per consumer: reading a variable of the process takes a microsecond. */
export function isStrict(): boolean {
  return process.env.NODE_ENV !== 'production'
}

/**
 * Judges what a handler returned.
 *
 * @param made the outcomes that it has made, outside production.
 * @throws HandlerError, not retryable, for a mistake outside production.
 */
export function judge(
  handler: HandlerEntry,
  context: DeliveryContext,
  returned: unknown,
  made: readonly HandlerOutcome[] | undefined,
): void {
  const mistake = isForgotten(context, returned, made) ? FORGOTTEN : mistakeIn(returned)
  if (mistake === undefined) return
  const text = describe(handler, context, mistake)
  if (made !== undefined) throw new HandlerError(text, false)
  logMistake(handler, context, text)
}

function isForgotten(context: DeliveryContext, returned: unknown, made: readonly unknown[] = []): boolean {
  return made.length > 0 && !context.hasOutcome && !made.includes(returned)
}

const FORGOTTEN = 'called snooze() or discard() and did not return what it gives'

/** What is wrong with a returned value; `undefined` for what handlers may return: outcomes, nothing, or any result. */
export function mistakeIn(returned: unknown): string | undefined {
  if (typeof returned === 'function') return 'returned a function, which nobody calls'
  if (typeof returned !== 'object' || returned === null || isOutcome(returned)) return undefined
  if (types.isGeneratorObject(returned)) return 'returned a generator, which nobody runs'
  if (Array.isArray(returned)) return mistakeAmong(returned)
  if (types.isNativeError(returned) || returned instanceof Error) return 'returned an Error instead of throwing it'
  // Anything else is a result of the application's own, which may not even like to be asked.
  if (!isPlainObject(returned) && !(returned instanceof Response)) return undefined
  const { ok, success } = returned as { ok?: unknown; success?: unknown }
  if (ok === false || success === false) return `returned { ${ok === false ? 'ok' : 'success'}: false }`
  if (isFailure(returned)) return 'returned an { error } instead of throwing it'
  const keys = Object.keys(returned)
  const looksLike = keys.some((key) => WORDS.includes(key)) && keys.every((key) => ALLUSIONS.includes(key))
  return looksLike ? `returned { ${keys.join(', ')} }` : undefined
}

/** `Promise.allSettled()` never rejects, so that what failed would be lost. */
function mistakeAmong(returned: readonly unknown[]): string | undefined {
  const rejected = returned.filter(isRejected).length
  return rejected === 0
    ? undefined
    : `returned ${rejected} rejected of ${returned.length} results of Promise.allSettled()`
}

function isRejected(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !isPlainObject(value)) return false
  return (value as Partial<PromiseRejectedResult>).status === 'rejected' && 'reason' in value
}

/** Whether it is what clients answer that do not throw, such as those of Supabase and Resend: `{ data: null, error }`. */
function isFailure(returned: object): boolean {
  const { data, error } = returned as { data?: unknown; error?: unknown }
  return typeof error === 'object' && error !== null && (data === undefined || data === null)
}

const WORDS = ['delay', 'discard', 'retry', 'retryable', 'retryAfter', 'snooze']
const ALLUSIONS = [...WORDS, 'error', 'reason', 'until']

function describe({ name }: HandlerEntry, { delivery }: DeliveryContext, mistake: string): string {
  return (
    `the handler ${name} of ${delivery.type} ${mistake}, which counts as success in production: to run again later call ` +
    'context.snooze(delay), to finish without work context.discard(reason), and throw to fail'
  )
}

function logMistake(handler: HandlerEntry, context: DeliveryContext, text: string): void {
  const now = performance.now()
  if (now - (logged.get(handler) ?? Number.NEGATIVE_INFINITY) < LOGGED_EVERY_MS) return
  logged.set(handler, now)
  const { id: messageId, delivery } = context
  const facts = { messageId, messageType: delivery.type, handler: handler.name }
  context.log.current.warn(text, facts)
}
