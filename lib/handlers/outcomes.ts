/** What a handler may return if it neither succeeded nor failed. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { DURATION_FORM, type Duration, parseDuration } from '../base/duration.js'
import { SymphonyError } from '../base/errors.js'
import { ProcessSlot } from '../base/process-state.js'

const OUTCOME: unique symbol = Symbol.for('leadmap.symphony.outcome')

/** Run again later, without using up an attempt. */
export interface Snooze {
  readonly [OUTCOME]: 'snooze'
  /** Milliseconds. */
  readonly delay: number
}

/** Finished although nothing was done: neither retried nor a dead letter. */
export interface Discard {
  readonly [OUTCOME]: 'discard'
  readonly reason: string
}

/** What `snooze()` and `discard()` return. */
export type HandlerOutcome = Snooze | Discard

/**
 * Returned, or thrown, by a handler that cannot do its work yet; `context.snooze()` acts by itself.
 *
 * @param delay how long from now: milliseconds, or `'30s'`, `'5m'`, …
 */
export function snooze(delay: Duration): Snooze {
  const milliseconds = parseDuration(delay)
  if (milliseconds !== undefined) return noteMade({ [OUTCOME]: 'snooze', delay: milliseconds })
  throw new SymphonyError('SYMPHONY_INVALID_DELAY', `snooze: got ${String(delay)}, wants ${DURATION_FORM}`)
}

/**
 * Returned, or thrown, by a handler whose work is not wanted any more; `context.discard()` acts by itself.
 *
 * @param reason kept with the message.
 */
export function discard(reason = 'discarded by its handler'): Discard {
  return noteMade({ [OUTCOME]: 'discard', reason })
}

const MADE = new ProcessSlot<AsyncLocalStorage<HandlerOutcome[]>>('outcomes')

/** Runs a handler and notes every outcome that it makes, returned or not. Not in production: promises become slower. */
export function notingOutcomes<T>(made: HandlerOutcome[], run: () => T): T {
  return MADE.get(() => new AsyncLocalStorage()).run(made, run)
}

function noteMade<Outcome extends HandlerOutcome>(outcome: Outcome): Outcome {
  MADE.peek()?.getStore()?.push(outcome)
  return outcome
}

/** Whether a value is an outcome, returned or thrown. */
export function isOutcome(value: unknown): value is HandlerOutcome {
  return isSnooze(value) || isDiscard(value)
}

/** Whether a handler returned `snooze(…)`. */
export function isSnooze(value: unknown): value is Snooze {
  return kindOf(value) === 'snooze'
}

/** Whether a handler returned `discard(…)`. */
export function isDiscard(value: unknown): value is Discard {
  return kindOf(value) === 'discard'
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as Partial<HandlerOutcome>)[OUTCOME] : undefined
}
