import fc from 'fast-check'
import parse from 'parse-prometheus-text-format'
import { expect, test } from 'vitest'
import { textOf } from './exposition.js'

test('any text in a label is found again', () => {
  const hostile = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', '#', 'ß', '🐘') })
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), hostile), fc.nat(), (text, value) => {
      const labels = { before: 'a', text, behind: 'z' }
      const parsed = parse(textOf([{ name: 'n_total', type: 'counter', help: 'Some.', samples: [{ labels, value }] }]))
      expect(parsed).toEqual([
        { name: 'n_total', type: 'COUNTER', help: 'Some.', metrics: [{ value: String(value), labels }] },
      ])
    }),
  )
})

test('a family without samples has its head', () => {
  expect(textOf([{ name: 'n', type: 'gauge', help: 'None yet.', samples: [] }])).toBe(
    '# HELP n None yet.\n# TYPE n gauge\n',
  )
})
