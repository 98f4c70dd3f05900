/**
 * What handlers of the `sync` transport threw, until the `dispatch()` that ran them rethrows it.
 *
 * The core knows a failure only as text; the caller gets the object.
 */

/** Failures that nobody asks for (a batch rejected as a whole) are forgotten, oldest first. */
const KEPT = 1_000

/** A wrapper, since a handler can throw `undefined`. */
interface Thrown {
  error: unknown
}

/** The failures of one instance. */
export class InlineErrors {
  readonly #thrown = new Map<string, Thrown>()

  /** Keeps what the handler of a message threw. */
  keep(messageId: string, error: unknown): void {
    this.#thrown.set(messageId, { error })
    const oldest = this.#thrown.keys().next()
    if (this.#thrown.size > KEPT && !oldest.done) this.#thrown.delete(oldest.value)
  }

  /** What the handler of a message threw; once. */
  take(messageId: string): Thrown | undefined {
    const thrown = this.#thrown.get(messageId)
    this.#thrown.delete(messageId)
    return thrown
  }
}
