import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest, unknown } from './suggestions.js'

const KNOWN = ['maxRetries', 'delay', 'multiplier', 'maxDelay', 'jitter']

test.each([
  ['maxretries', 'maxRetries'],
  ['max_retries', 'maxRetries'],
  ['MAX-DELAY', 'maxDelay'],
  ['delays', 'delay'],
  ['jiter', 'jitter'],
  ['dealy', 'delay'],
  ['multipler', 'multiplier'],
])('%s means %s', (given, meant) => {
  expect(nearest(KNOWN, given)).toBe(meant)
})

test('nothing is guessed at random', () => {
  for (const given of ['', 'x', 'retry', 'url', 'priority']) expect(nearest(KNOWN, given), given).toBeUndefined()
  expect(nearest([], 'delay')).toBeUndefined()
})

test('a sentence lists what there is', () => {
  expect(unknown('option', 'x', ['a', 'longer'])).toBe('unknown option; the options are a, longer')
  expect(unknown('option', 'lnger', ['a', 'longer'])).toBe(
    'unknown option; the options are a, longer; did you mean "longer"?',
  )
})

test('a known word means itself, and any text has an answer', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KNOWN), fc.string({ unit: 'binary', maxLength: 200 }), (word, text) => {
      expect(nearest(KNOWN, word)).toBe(word)
      expect([undefined, ...KNOWN]).toContain(nearest(KNOWN, text))
    }),
  )
})
