import { expect, test } from 'vitest'
import { parseDuration } from './duration.js'

test.each([
  [0, 0],
  [1.5, 1.5],
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5 s', 1_500],
  [' 5m ', 300_000],
  ['24h', 86_400_000],
  ['30d', 2_592_000_000],
])('%j is %d ms', (value, expected) => {
  expect(parseDuration(value)).toBe(expected)
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '', '5', '-5s', '5 minutes', '2w', '5S', null, undefined, {}, 1n])(
  '%s is none',
  (value) => {
    expect(parseDuration(value)).toBeUndefined()
  },
)
