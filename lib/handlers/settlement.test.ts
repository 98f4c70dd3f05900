import { expect, test } from 'vitest'
import type { Settlement } from './delivery.js'
import { wellFormed } from './settlement.js'

const error = { class: 'TypeError', message: 'boom' }
const failed = { as: 'failed', retryable: true, retryAfter: null, error, handled: ['a'] } as const

test.each<Settlement>([
  { ...failed, handled: ['a'] },
  { ...failed, retryable: false, retryAfter: 5, handled: [] },
  { as: 'snoozed', delay: 5, handled: ['a'] },
  { as: 'snoozed', delay: 0 },
  { as: 'discarded', reason: '' },
  { as: 'released' },
  { as: 'released', delay: 5, handled: [] },
])('an outcome passes as it is: %j', (settlement) => {
  expect(wellFormed(settlement)).toBe(settlement)
})

test.each<[unknown, string]>([
  [{ ...failed, retryable: null }, 'retryable is null'],
  [{ ...failed, retryable: undefined }, 'retryable is undefined'],
  [{ ...failed, retryable: { secret: 1 } }, 'retryable is of type object'],
  [{ ...failed, retryAfter: Number.NaN }, 'retryAfter is NaN'],
  [{ ...failed, retryAfter: '5s' }, 'retryAfter is of type string'],
  [{ ...failed, error: undefined }, 'no class or no message'],
  [{ ...failed, handled: [1, 'b'] }, 'must be strings'],
  [{ as: 'snoozed', delay: Number.POSITIVE_INFINITY }, 'the delay Infinity'],
  [{ as: 'discarded', reason: 7 }, 'must be a text'],
  [{ as: 'released', delay: null }, 'must be milliseconds'],
  [{ as: 'later' }, 'ends in no such way'],
])('anything else is a failed run that says why: %o', (settlement, problem) => {
  const outcome = wellFormed(settlement as Settlement)
  expect(outcome).toMatchObject({ as: 'failed', retryable: true, retryAfter: null })
  expect(outcome.as === 'failed' && outcome.error.message).toContain(problem)
  expect(wellFormed(outcome)).toBe(outcome)
})

test('one whose getters throw is a failed run too', () => {
  const throwing = Object.defineProperty({ as: 'failed' }, 'retryable', {
    get: () => {
      throw new Error('a getter')
    },
  })
  expect(wellFormed(throwing as Settlement)).toMatchObject({ as: 'failed', error: { message: 'a getter' } })
})

test('what the handlers threw is not lost over it', () => {
  const outcome = wellFormed({ ...failed, retryable: null as unknown as boolean, handled: ['a'] })
  expect(outcome).toMatchObject({ error: { class: 'InvalidOutcome' }, handled: ['a'] })
  expect(outcome.as === 'failed' && outcome.error.message).toContain('TypeError: boom')
})
