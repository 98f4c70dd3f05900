import { expect, test } from 'vitest'
import { indented } from './json-text.js'

test.each([{}, { a: {}, b: [] }, { a: [1, [2, { b: null }]], 'c "d\\': ['{', '],', '\n', ':'], e: -1.5e-7, f: true }])(
  '%j is indented as JSON.stringify() does it',
  (value) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 1)])
      expect(indented(text)).toBe(JSON.stringify(value, null, 2))
  },
)

test('every digit stays', () => {
  expect(indented('{"id": 9007199254740993, "rate": 0.10}')).toBe('{\n  "id": 9007199254740993,\n  "rate": 0.10\n}')
})
