import { expect, test } from 'vitest'
import { merge, mergeConfig } from './merge.js'

test('merging keeps __proto__ data and ignores undefined', () => {
  const merged = merge<Record<string, unknown>>({ a: { b: 1 } }, JSON.parse('{"__proto__":{"x":1},"a":{"c":2}}'))
  expect(Object.keys(merged)).toEqual(['a', '__proto__'])
  expect(merged.a).toEqual({ b: 1, c: 2 })
  expect(merge({ a: 1 }, { a: undefined })).toEqual({ a: 1 })
  expect(({} as { x?: number }).x).toBeUndefined()
})

test('a transport of another type has none of the options of the one below', () => {
  const base = { defaultQueue: 'a', transports: { jobs: { type: 'rabbitmq', queue: 'q', options: { prefetch: 10 } } } }
  const merged = (type?: string) => mergeConfig(base, { transports: { jobs: { type, options: { b: 1 } } as never } })
  expect(merged('sqs').transports).toEqual({ jobs: { type: 'sqs', queue: 'q', options: { b: 1 } } })
  for (const same of [undefined, 'rabbitmq']) {
    expect(merged(same).transports).toEqual({ jobs: { type: 'rabbitmq', queue: 'q', options: { prefetch: 10, b: 1 } } })
  }
  expect(mergeConfig(base, { transports: { jobs: null, other: { type: 'sync' } } }).transports).toEqual({
    jobs: null,
    other: { type: 'sync' },
  })
  expect(mergeConfig({}, { defaultQueue: 'b' })).toEqual({ defaultQueue: 'b' })
})
