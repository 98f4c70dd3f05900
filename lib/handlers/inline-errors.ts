/**
 * What handlers of the `sync` transport threw, until the `dispatch()` that ran them rethrows it.
 *
 * The core knows a failure only as text; the caller gets the object.
 */
import { shared } from '../base/process-state.js'

/** Failures that nobody asks for (a batch rejected as a whole) are forgotten, oldest first. */
const KEPT = 1_000

/** A wrapper, since a handler can throw `undefined`. */
interface Thrown {
  error: unknown
}

function thrownErrors(): Map<string, Thrown> {
  return shared('inlineErrors', () => new Map())
}

/** Keeps what the handler of a message threw. */
export function keepInlineError(messageId: string, error: unknown): void {
  const all = thrownErrors()
  all.set(messageId, { error })
  const oldest = all.keys().next()
  if (all.size > KEPT && !oldest.done) all.delete(oldest.value)
}

/** What the handler of a message threw; once. */
export function takeInlineError(messageId: string): Thrown | undefined {
  const all = thrownErrors()
  const thrown = all.get(messageId)
  all.delete(messageId)
  return thrown
}
