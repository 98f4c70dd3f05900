import { type ConsumeOptions, consumeBatch, dispatch, HandlerRegistry } from '@leadmap/symphony'
import { getHealth, getMetrics, type QueueDepth } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue({
  transports: {
    first: { type: 'postgres' },
    second: { type: 'postgres' },
    local: { type: 'memory' },
    off: { type: 'postgres', enabled: false },
  },
})

beforeEach(() => emptyTables(database))

/** Drains and tells which messages were handled, in their order. */
async function handled(options: ConsumeOptions = {}): Promise<string[]> {
  const names: string[] = []
  const registry = new HandlerRegistry()
  registry.register('Named', (message) => void names.push(message.payload.name))
  await consumeBatch({ registry, maxConcurrency: 1, ...options })
  return names
}

const named = (name: string, options = {}) => dispatch({ type: 'Named', payload: { name } }, options)

describe('transports', () => {
  beforeEach(async () => {
    await named('b', { transport: 'second', priority: 10 })
    await named('a', { transport: 'first', priority: 1 })
    await named('c', { transport: 'first', priority: 10 })
    await named('d')
  })

  test('are drained in the order given, whatever the priorities', async () => {
    expect(await handled({ transports: ['first', 'second'] })).toEqual(['c', 'a', 'b'])
    expect((await storedMessages(database)).find((row) => row.status === 'pending')?.body).toEqual({ name: 'd' })
  })

  test('can be drained one alone', async () => {
    expect(await handled({ transport: 'second' })).toEqual(['b'])
  })

  test('are all drained without a choice, those in memory too', async () => {
    await named('e', { transport: 'local' })
    expect((await handled()).sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('that are disabled cannot be drained', async () => {
    await expect(handled({ transport: 'off' })).rejects.toMatchObject({ code: 'SYMPHONY_TRANSPORT_DISABLED' })
    await expect(named('x', { transport: 'off' })).rejects.toMatchObject({ code: 'SYMPHONY_TRANSPORT_DISABLED' })
  })
})

describe('queues', () => {
  test('restrict what is drained', async () => {
    await named('mail', { queue: 'email' })
    await named('text', { queue: 'sms' })
    await named('else')
    expect(await handled({ queues: ['sms', 'email'] })).toEqual(['text', 'mail'])
    expect(await handled()).toEqual(['else'])
  })
})

describe('messages of a type without handler', () => {
  test('stay untouched and are reported', async () => {
    await dispatch({ type: 'Unknown', payload: { n: 1 } })
    await dispatch({ type: 'Unknown', payload: { n: 2 } }, { transport: 'first', queue: 'special' })
    await named('known')
    const versions = () =>
      database.query(
        "SELECT id, xmin::text, ctid::text FROM symphony.messenger_messages WHERE message_type = 'Unknown'",
      )
    const before = await versions()
    expect(await handled()).toEqual(['known'])
    expect(await versions()).toEqual(before)

    const registry = new HandlerRegistry()
    registry.register('Named', () => undefined)
    const unhandled = async () =>
      (await getHealth({ registry })).findings.find(({ check }) => check === 'unhandledTypes')
    expect(await unhandled()).toMatchObject({ severity: 'warning', value: 2 })
    expect((await unhandled())?.message).toContain('1 of type Unknown in supabase/default')
    expect((await unhandled())?.message).toContain('1 of type Unknown in first/special')
    registry.register('Unknown', () => undefined)
    expect(await unhandled()).toMatchObject({ severity: 'ok', value: 0 })
  })

  test('are released untouched with a delay where a pattern makes the consumer claim everything', async () => {
    await dispatch({ type: 'Unknown', payload: {} })
    await dispatch({ type: 'EmailBounced', payload: {} })
    const registry = new HandlerRegistry()
    registry.register('Email*', () => undefined)
    const result = await consumeBatch({ registry })
    expect(result).toMatchObject({ claimed: 2, succeeded: 1, released: 1, snoozed: 0, retried: 0, deadLettered: 0 })
    const waiting = (await storedMessages(database)).find((row) => row.message_type === 'Unknown')
    expect(waiting).toMatchObject({ status: 'pending', retry_count: 0, last_error: null })
    expect(waiting?.available_at.getTime()).toBeGreaterThan(Date.now())
  })
})

test('getMetrics() tells what waits, what waits for its time and what runs, in each queue', async () => {
  await named('a')
  await named('b', { delay: '1h' })
  await named('c', { transport: 'first', queue: 'email' })
  const queues = async (): Promise<QueueDepth[]> => (await getMetrics()).queue.queues
  let during: QueueDepth[] = []
  const registry = new HandlerRegistry()
  registry.register('Named', async () => {
    during = await queues()
  })
  const none = { pending: 0, delayed: 0, processing: 0, oldestAge: null, capped: false }
  const both = [
    { ...none, transport: 'supabase', queue: 'default', pending: 1, delayed: 1, oldestAge: expect.any(Number) },
    { ...none, transport: 'first', queue: 'email', pending: 1, oldestAge: expect.any(Number) },
  ]
  expect(await queues()).toEqual(expect.arrayContaining(both))
  expect((await getMetrics({ transport: 'first' })).queue).toMatchObject({ depth: 1, queues: [both[1]] })
  await consumeBatch({ registry, transport: 'supabase' })
  const then = [
    { ...none, transport: 'supabase', queue: 'default', delayed: 1, processing: 1 },
    { ...none, transport: 'first', queue: 'email', pending: 1, oldestAge: expect.any(Number) },
  ]
  expect(during).toEqual(expect.arrayContaining(then))
})
