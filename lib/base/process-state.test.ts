import { expect, test } from 'vitest'
import { ProcessSlot } from './process-state.js'

test('a slot is filled once, and shared by all that ask for it', () => {
  const slot = new ProcessSlot<{ made: number }>('test')
  expect(slot.peek()).toBeUndefined()
  const first = slot.get(() => ({ made: 1 }))
  expect(new ProcessSlot<{ made: number }>('test').get(() => ({ made: 2 }))).toBe(first)
  expect(slot.peek()).toBe(first)
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown>>
  expect(holder[Symbol.for('leadmap.symphony')]?.get('test')).toBe(first)
})
