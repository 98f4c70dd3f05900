/**
 * How much a fault test does, and by which dice.
 *
 * `npm test` breaks things often enough to notice what is broken; `npm run soak` does the full measure, again and
 * again, with other seeds.
 */

/** Whether this is `npm run soak`. */
export const soaking = process.env.FAULTS_SOAK === '1'

/** The number for `npm test`, and the one for `npm run soak`. */
export function scaled<T>(short: T, full: T): T {
  return soaking ? full : short
}

/** What the dice start from; printed with the figures, so that a bad round can be had again. */
export const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31))

let state = seed

/** From 0 up to 1 (mulberry32). */
export function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let bits = Math.imul(state ^ (state >>> 15), 1 | state)
  bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
}

/** A whole number from `low` to `high`. */
export function between(low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1))
}

/** One of them. */
export function oneOf<T>(all: readonly T[]): T {
  return all[between(0, all.length - 1)] as T
}

/** The numbers from 0. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}
