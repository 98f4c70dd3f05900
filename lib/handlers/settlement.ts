/** Outcomes as the core takes them: handlers, their `classifyError` and middleware may return anything. */
import type { Settlement } from './delivery.js'
import { clean, reportError } from './error-report.js'

/** The error class of a run with an invalid outcome. */
const CLASS = 'InvalidOutcome'

/**
 * The outcome; if it is invalid, a failed run that says whose mistake it is. It is retried, because the next build may
 * have fixed it. Never fails.
 */
export function wellFormed(settlement: Settlement): Settlement {
  try {
    const problem = problemOf(settlement)
    if (problem === undefined) return settlement
    return invalid(settlement, `${problem}${alsoFailed(settlement)}`)
  } catch (error) {
    return failedBy(error, [])
  }
}

/** The outcome of a run that ended outside its handlers. */
export function failedBy(error: unknown, handled: readonly string[]): Settlement {
  return { as: 'failed', retryable: true, retryAfter: null, error: reportError(error), handled: [...handled] }
}

function problemOf(settlement: Settlement): string | undefined {
  if ('handled' in settlement && settlement.handled !== undefined && !areTexts(settlement.handled)) {
    return `the names of the handlers that succeeded are ${kindOf(settlement.handled)}, and must be strings`
  }
  switch (settlement.as) {
    case 'failed':
      return problemOfFailure(settlement)
    case 'snoozed':
      return isTime(settlement.delay)
        ? undefined
        : `snooze() has the delay ${shown(settlement.delay)}, and wants milliseconds`
    case 'discarded':
      return typeof settlement.reason === 'string' ? undefined : 'the reason given to discard() must be a text'
    case 'released':
      return settlement.delay === undefined || isTime(settlement.delay) ? undefined : 'the delay must be milliseconds'
    default:
      return `a run ends in no such way as ${shown((settlement as { as: unknown }).as)}`
  }
}

function problemOfFailure({ retryable, retryAfter, error }: Extract<Settlement, { as: 'failed' }>): string | undefined {
  if (typeof retryable !== 'boolean') {
    return (
      `retryable is ${shown(retryable)}, and must be true or false: look at what the handler's classifyError, ` +
      'errorClassificationMiddleware() or new HandlerError(…) was given'
    )
  }
  if (retryAfter !== null && !isTime(retryAfter)) {
    return `retryAfter is ${shown(retryAfter)}, and must be milliseconds or null: look at the handler's classifyError`
  }
  const isError = typeof error?.class === 'string' && typeof error.message === 'string'
  return isError ? undefined : 'the error has no class or no message'
}

function invalid(settlement: Settlement, message: string): Settlement {
  const handled = 'handled' in settlement && Array.isArray(settlement.handled) ? settlement.handled : []
  const error = { class: CLASS, message: clean(message, 4_000) }
  return { as: 'failed', retryable: true, retryAfter: null, error, handled: handled.filter(isText) }
}

/** The handlers' own error must not be lost because of the mistake. */
function alsoFailed(settlement: Settlement): string {
  const error = settlement.as === 'failed' ? settlement.error : undefined
  return typeof error?.message === 'string' ? `. The run had failed with ${error.class}: ${error.message}` : ''
}

function areTexts(names: unknown): boolean {
  return Array.isArray(names) && names.every(isText)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

/** A number or a word as it is; of anything else only its kind, because it may be confidential. */
function shown(value: unknown): string {
  const plain = typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null
  return plain ? String(value) : `of type ${typeof value}`
}
