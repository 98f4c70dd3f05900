import { expect, test } from 'vitest'
import { merge } from './merge.js'

test('merging keeps __proto__ data and ignores undefined', () => {
  const merged = merge<Record<string, unknown>>({ a: { b: 1 } }, JSON.parse('{"__proto__":{"x":1},"a":{"c":2}}'))
  expect(Object.keys(merged)).toEqual(['a', '__proto__'])
  expect(merged.a).toEqual({ b: 1, c: 2 })
  expect(merge({ a: 1 }, { a: undefined })).toEqual({ a: 1 })
  expect(({} as { x?: number }).x).toBeUndefined()
})
