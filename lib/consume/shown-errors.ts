/** Which errors of handlers are shown, where the log goes to a developer. */
import type { ErrorReport } from '../handlers/delivery.js'

/** Shown per minute: enough to see what is wrong, few enough to find it. */
const PER_MINUTE = 10
const MINUTE_MS = 60_000

/** What a log line says of an error. */
export interface ShownError {
  message: string
  /** Class, message and stack, as Node.js prints an error. */
  stack: string
}

/** The first errors of each minute, and in production none: an error may quote what it failed on. */
export class ShownErrors {
  #since = Number.NEGATIVE_INFINITY
  #shown = 0

  /** What to show of an error, if anything. */
  show(
    { class: name, message, stack }: ErrorReport,
    now: number,
    environment: string | undefined,
  ): ShownError | undefined {
    if (environment === 'production') return undefined
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now
      this.#shown = 0
    }
    this.#shown += 1
    if (this.#shown > PER_MINUTE) return undefined
    return { message, stack: [`${name}: ${message}`, stack].filter(Boolean).join('\n') }
  }
}
