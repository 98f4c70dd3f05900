import { expect, test } from 'vitest'
import { count, distance, instant, percent, several, shortened, span } from './format.js'
import { Output } from './output.js'
import { facts, table } from './table.js'

const { paint } = new Output({ color: false })

test.each([
  [0, '0 ms'],
  [420.4, '420 ms'],
  [999.6, '1000 ms'],
  [1_000, '1 s'],
  [59_600, '1 min'],
  [90_000, '1 min 30 s'],
  [3_599_700, '1 h'],
  [7_440_000, '2 h 4 min'],
  [30 * 86_400_000, '30 d'],
])('a span of %d ms is %s', (milliseconds, text) => {
  expect(span(milliseconds)).toBe(text)
})

test('numbers', () => {
  expect([count(0), count(1_204), count(10_000, true)]).toEqual(['–', '1,204', '10,000+'])
  expect([several(1, 'message'), several(2_000, 'message')]).toEqual(['1 message', '2,000 messages'])
  expect([0, 0.032, 0.5, 1].map(percent)).toEqual(['0 %', '3.2 %', '50 %', '100 %'])
})

test('instants', () => {
  const now = Date.parse('2026-11-30T09:00:00Z')
  expect(distance(new Date(now - 180_000), now)).toBe('3 min ago')
  expect(distance(new Date(now + 240_000), now)).toBe('in 4 min')
  expect([distance(null, now), distance(new Date(Number.NaN), now)]).toEqual(['–', '?'])
  expect(instant(new Date(now - 1_000), now)).toBe('2026-11-30T08:59:59.000Z (1 s ago)')
})

test('one line, cut', () => {
  expect(shortened('a\n  b', 10)).toBe('a b')
  expect(shortened('0123456789', 5)).toBe('0123…')
})

test('a table: titles, numbers to the right, colours without width, no blanks at the end', () => {
  const columns = [{ title: 'NAME' }, { title: 'N', right: true }, { title: '' }]
  const rows = [
    ['\x1b[31ma\x1b[39m', '1,000', ''],
    ['longer', '2', 'x'],
  ]
  expect(table(columns, rows, paint)).toBe(
    ['NAME        N', '\x1b[31ma\x1b[39m       1,000', 'longer      2  x'].join('\n'),
  )
})

test('facts of several lines stay in their column', () => {
  expect(
    facts(
      [
        ['id', '1'],
        ['payload', '{\n}'],
      ],
      paint,
    ),
  ).toBe('id       1\npayload  {\n         }')
})
