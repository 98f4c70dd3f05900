import { AssertionError } from 'node:assert'
import { beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, getConfig, HandlerRegistry, setConfig } from '../index.js'
import { advance, assertDispatched, dispatched, drain, reset, setNow, useMemoryTransport } from '../testing.js'
import { freshProcess, theCore } from './fakes/fake-core.js'

beforeEach(() => {
  freshProcess()
  setConfig({ transports: { email: { type: 'supabase', queue: 'email' } }, routing: { EmailMessage: 'email' } })
})

test('everything goes to memory, and back', () => {
  const before = getConfig()
  const restore = useMemoryTransport()
  const { transports, routing, defaultTransport } = getConfig()
  expect(defaultTransport).toBe('memory')
  expect(routing).toEqual({ EmailMessage: 'memory', '*': 'memory' })
  expect(transports).toMatchObject({
    email: { type: 'memory', queue: 'email' },
    supabase: { type: 'memory' },
    sync: { type: 'sync' },
  })
  restore()
  expect(getConfig()).toEqual(before)
})

describe('what was dispatched', () => {
  const listed = [
    { id: '2', type: 'A', payload: { to: 'b', deep: { x: 1, y: [1] } }, status: 'pending', availableAt: 5 },
    { id: '1', type: 'A', payload: { to: 'a' }, status: 'completed', availableAt: 5 },
    { id: '3', type: 'B', payload: {}, status: 'pending', availableAt: 5 },
  ]
  beforeEach(() => {
    theCore().answers['memory list'] = listed
  })

  test('in order, of one type or all', () => {
    expect(dispatched().map(({ id }) => id)).toEqual(['1', '2', '3'])
    expect(dispatched('A')[0]).toMatchObject({ id: '1', transport: 'memory', availableAt: new Date(5) })
  })

  test('asserted by number, fields or function', () => {
    expect(assertDispatched('A')).toHaveLength(2)
    expect(assertDispatched('A', 2)).toHaveLength(2)
    expect(assertDispatched('C', 0)).toEqual([])
    expect(assertDispatched('A', { deep: { y: [1] } })).toMatchObject([{ id: '2' }])
    expect(assertDispatched('A', ({ status }) => status === 'completed')).toMatchObject([{ id: '1' }])
  })

  test('a failure says what was there instead', () => {
    expect(() => assertDispatched('A', 1)).toThrow(AssertionError)
    expect(() => assertDispatched('A', 1)).toThrow('expected 1 messages of type A, and there are 2.')
    expect(() => assertDispatched('A', { to: 'c' })).toThrow('A {"to":"a"} (completed)')
    expect(() => assertDispatched('C')).toThrow('expected a C. Dispatched were:\n  A')
    theCore().answers['memory list'] = []
    expect(() => assertDispatched('C')).toThrow('Nothing was dispatched.')
  })
})

test('the clock is set, moved and let go; reset forgets all', () => {
  setNow(new Date(5))
  setNow(7)
  setNow()
  advance('5m')
  reset()
  expect(theCore().calls).toEqual([
    ['memory memory', { do: 'set', now: 5 }],
    ['memory memory', { do: 'set', now: 7 }],
    ['memory memory', { do: 'set', now: null }],
    ['memory memory', { do: 'advance', ms: 300_000 }],
    ['memory memory', { do: 'clear' }],
    ['memory memory', { do: 'set', now: null }],
  ])
  expect(() => setNow(new Date(Number.NaN))).toThrow(ConfigurationError)
  expect(() => advance('soon')).toThrow(ConfigurationError)
})

test('draining consumes the memory transports', async () => {
  const registry = new HandlerRegistry()
  registry.register('A', () => 1)
  const done = drain(registry)
  const [consumer] = theCore().consumers
  expect(consumer?.options).toMatchObject({ mode: 'drain', transports: ['memory'], types: ['A'] })
  consumer?.finish({ succeeded: 1 })
  expect(await done).toMatchObject({ succeeded: 1 })
})
