/**
 * The time limits of handlers that run, with one timer for all of them.
 *
 * A timer for each message cost more than all else that is done for one: most handlers have ended long before their
 * limit, and nearly all have the same, so that a timer for the first of them is early enough for the others.
 */

import { Bag, type Placed } from '../base/bag.js'

/** A handler that has a limit. */
export interface Limited extends Placed {
  /** When it has run for too long, as `performance.now()` tells the time. */
  readonly expires: number
  /** Called once, after that. */
  readonly expire: () => void
}

/** What a timer of Node can wait at most, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1

/** Calls those whose time is over. */
export class TimeLimits {
  readonly #running = new Bag<Limited>()
  #timer: NodeJS.Timeout | undefined
  #rings = Number.POSITIVE_INFINITY
  /** What made the timer: tests put another clock there, which tells another time, and take it away again. */
  #maker: typeof setTimeout | undefined

  add(one: Limited): void {
    this.#running.add(one)
    if (one.expires < this.#rings || this.#maker !== setTimeout) this.#ringAt(one.expires)
  }

  /** The timer stays: the next handler will want it. */
  remove(one: Limited): void {
    this.#running.remove(one)
  }

  #ringAt(instant: number): void {
    // Another clock does not know it. If it rings after all, those whose time is over are called as they should.
    if (this.#maker === setTimeout) clearTimeout(this.#timer)
    this.#maker = setTimeout
    this.#rings = instant
    const wait = Math.min(Math.max(Math.ceil(instant - performance.now()), 1), LONGEST_WAIT)
    // It keeps no process alive: a consumer at work does.
    this.#timer = setTimeout(this.#ring, wait).unref()
  }

  readonly #ring = (): void => {
    this.#rings = Number.POSITIVE_INFINITY
    const now = performance.now()
    for (const one of this.#running.all()) {
      // One that was given up may have ended another.
      if (one.expires > now || one.place < 0) continue
      this.remove(one)
      one.expire()
    }
    const next = this.#running.all().reduce((first, { expires }) => Math.min(first, expires), this.#rings)
    if (next < this.#rings) this.#ringAt(next)
  }
}
