/** What outside data may be: whatever it is, these answer, and never throw. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRetryAfter, retryAfterOf } from '../handlers/retry-after.js'
import { parseDuration } from './duration.js'
import { bestPattern, isPattern, matches } from './pattern.js'

const WEEK = 7 * 24 * 3_600_000
const LATEST = 8.64e15

test('a duration is milliseconds, 0 or more, or none', () => {
  const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', '', 'S', 'y')
  const written = fc.tuple(fc.double(), unit).map(([amount, name]) => `${amount}${name}`)
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string(), fc.double(), written), (value) => {
      const read = parseDuration(value)
      if (read !== undefined) expect(read).toBeGreaterThanOrEqual(0)
    }),
  )
  fc.assert(
    fc.property(fc.nat(), (amount) => {
      expect(parseDuration(`${amount}s`)).toBe(amount * 1_000)
      expect(parseDuration(` ${amount} ms `)).toBe(amount)
    }),
  )
})

test('a delay that a server asks for is between zero and a week, or absent', () => {
  const date = fc.date({ noInvalidDate: true }).map((each) => each.toUTCString())
  const number = fc.oneof(fc.double(), fc.integer().map(String))
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string(), date, fc.date(), number), fc.nat(LATEST), (value, now) => {
      for (const wait of [
        parseRetryAfter(value, now),
        retryAfterOf({ retryAfter: value }, now),
        retryAfterOf({ headers: { 'Retry-After': value } }, now),
        retryAfterOf({ headers: value, response: value, details: value }, now),
      ]) {
        if (wait === null) continue
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(WEEK)
      }
    }),
  )
})

test('the best pattern matches, and no better one does', () => {
  const name = fc.string({ unit: fc.constantFrom('A', 'B', '*'), maxLength: 4 })
  fc.assert(
    fc.property(fc.array(name), fc.string({ unit: fc.constantFrom('A', 'B'), maxLength: 4 }), (patterns, type) => {
      const best = bestPattern(patterns, type)
      const fitting = patterns.filter((pattern) => matches(pattern, type))
      expect(best === undefined).toBe(fitting.length === 0)
      if (best === undefined) return
      expect(fitting).toContain(best)
      if (fitting.includes(type)) expect(best).toBe(type)
      else for (const other of fitting) expect(isPattern(other) && other.length <= best.length).toBe(true)
    }),
  )
})
