import { expect, test } from 'vitest'
import { peekShared, setShared, shared } from './process-state.js'

test('a slot is made once and shared by all that ask for it', () => {
  const first = shared('test', () => ({ made: 1 }))
  expect(shared('test', () => ({ made: 2 }))).toBe(first)
  expect(peekShared('test')).toBe(first)
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown>>
  expect(holder[Symbol.for('leadmap.symphony')]?.get('test')).toBe(first)
})

test('a slot can be emptied', () => {
  setShared('test', 1)
  setShared('test', undefined)
  expect(peekShared('test')).toBeUndefined()
})
