/** Messages whose handlers run. */
import type { DeliveryContext } from '../handlers/context.js'

/** One of them. */
export interface Run {
  readonly batch: number
  readonly index: number
  readonly context: DeliveryContext
  readonly started: number
  /** Its signal was aborted because the core wants it back, not because it took too long. */
  recalled: boolean
  /** Where it stands among those that run. */
  place: number
}

/**
 * Running messages, in no order.
 *
 * Not a `Set`: each table that V8 replaces with a new one points to its successor. Once one of them has grown old, all
 * that come after it stay alive with what was in them until the next full collection. `docs/performance-tuning.md` has
 * the figures.
 */
export class InFlight {
  readonly #runs: Run[] = []

  get size(): number {
    return this.#runs.length
  }

  add(run: Run): void {
    run.place = this.#runs.push(run) - 1
  }

  /** The last one takes its place. */
  remove(run: Run): void {
    const last = this.#runs.pop()
    if (last === undefined || last === run) return
    last.place = run.place
    this.#runs[run.place] = last
  }

  /** All of them, as they are now. */
  all(): readonly Run[] {
    return [...this.#runs]
  }
}
