/** What has happened so far to the handlers of one message, and what that makes of the message. */
import { type Classification, classifyError } from './classification.js'
import type { Settlement } from './delivery.js'
import { clean, reportError } from './error-report.js'
import { type HandlerOutcome, isDiscard, isSnooze } from './outcomes.js'

/** How a message ended: `settlement` is absent if all its handlers succeeded, `error` is what was thrown. */
export interface Execution {
  settlement?: Settlement
  error?: unknown
}

/** Of one message. */
export interface Tally {
  /** Identities of the handlers that have succeeded. */
  handled: string[]
  failures: Array<{ error: unknown; own: Classification | undefined }>
  outcome: HandlerOutcome | undefined
}

const COMPLETED: Execution = {}

/** Several handlers may return an outcome; snoozing takes precedence over discarding. */
export function noteOutcome(tally: Tally, returned: unknown): void {
  if (isSnooze(returned)) tally.outcome = returned
  else if (isDiscard(returned)) tally.outcome ??= returned
}

/** The end of a message none of whose handlers failed. */
export function succeeded({ outcome, handled }: Tally): Execution {
  if (outcome === undefined) return COMPLETED
  if (isSnooze(outcome)) return { settlement: { as: 'snoozed', delay: outcome.delay, handled } }
  return { settlement: { as: 'discarded', reason: clean(String(outcome.reason), 1_000) } }
}

/** The end of a message that failed. */
export function failed(error: unknown, tally: Tally): Execution {
  const { retryable, retryAfter } = verdict(error, tally)
  return {
    settlement: { as: 'failed', retryable, retryAfter, error: reportError(error), handled: tally.handled },
    error,
  }
}

/**
 * A handler's own decision counts first, even if middleware wrapped its error. One handler worth a retry is enough:
 * those that succeeded do not run again.
 */
function verdict(error: unknown, { failures }: Tally): Classification {
  const asked = failures.some(({ own }) => own !== undefined)
  const isTheirs = failures.some((failure) => failure.error === error)
  if (!asked && !isTheirs) return classifyError(error)
  const verdicts = failures.map((failure) => failure.own ?? classifyError(failure.error))
  const waits = verdicts.map(({ retryAfter }) => retryAfter).filter((wait) => wait !== null)
  const retryable = verdicts.some((one) => one.retryable)
  return { retryable, retryAfter: retryable && waits.length > 0 ? Math.max(...waits) : null }
}
