import {
  consumeBatch,
  dispatch,
  dispatchToTransports,
  getTransportConfig,
  getTransportsForMessageType,
  HandlerRegistry,
  runDueSchedules,
  schedule,
} from '@leadmap/symphony'
import { cancelMessage, getMetrics, listFailed, listMessages, retryFailed } from '@leadmap/symphony/admin'
import { getRuntimeConfigManager } from '@leadmap/symphony/config'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue()
const NAMES = ['supabase', 'postgres', 'default']

beforeEach(async () => {
  getRuntimeConfigManager().reset()
  await emptyTables(database, 'messenger_schedules', 'messenger_transports')
})

async function drain(transport: string, fails = false): Promise<number> {
  const registry = new HandlerRegistry()
  registry.register('*', () => {
    if (fails) throw new Error('no')
  })
  return (await consumeBatch({ registry, transports: [transport] })).claimed
}

const send = (transport?: string) => dispatch({ type: 'A', payload: {} }, transport === undefined ? {} : { transport })

describe.each(NAMES)('what is dispatched to %s', (name) => {
  test.each(NAMES)('is consumed under %s', async (other) => {
    expect(await send(name)).toMatchObject({ transport: 'supabase' })
    expect(await drain(other)).toBe(1)
  })

  test.each(NAMES)('is counted, listed and cancelled under %s', async (other) => {
    const { messageId } = await send(name)
    const { queues } = (await getMetrics({ transport: other })).queue
    expect(queues).toMatchObject([{ transport: 'supabase', pending: 1 }])
    expect((await listMessages({ transport: other })).messages).toMatchObject([{ id: messageId }])
    expect(await cancelMessage(messageId)).toMatchObject({ cancelled: true })
  })

  test.each(NAMES)('is a dead letter of %s', async (other) => {
    getRuntimeConfigManager().update({ retry: { default: { maxRetries: 0 } } })
    await send(name)
    await drain(name, true)
    expect((await listFailed({ transport: other })).messages).toHaveLength(1)
    await retryFailed({ transport: other })
    expect(await drain(other)).toBe(1)
  })
})

test.each(NAMES)('routing, rules, schedules and the default may say %s', async (name) => {
  getRuntimeConfigManager().update({
    routing: { Routed: name },
    priorityRouting: [{ min: 10, transport: [name, 'supabase'] }],
    defaultTransport: name,
  })
  expect(getTransportsForMessageType('Routed')).toEqual(['supabase'])
  expect(getTransportsForMessageType('Any', 10)).toEqual(['supabase'])
  expect(getTransportConfig(name)).toMatchObject({ type: 'supabase' })
  await dispatch({ type: 'Routed', payload: {} })
  await dispatch({ type: 'Any', payload: {} })
  await schedule({ type: 'Scheduled', payload: {} }, { every: '1h' }, { name: 'hourly', transport: name })
  await database.query('UPDATE symphony.messenger_schedules SET next_run_at = now(), nominal_run_at = now()')
  await runDueSchedules()
  expect(await storedMessages(database)).toMatchObject(Array(3).fill({ transport_name: 'supabase' }))
})

test('a message to several of its names is stored once', async () => {
  expect(await dispatchToTransports({ type: 'A', payload: {} }, NAMES)).toMatchObject([{ transport: 'supabase' }])
  expect(await storedMessages(database)).toHaveLength(1)
})

test('`default` is whichever transport is the default', async () => {
  getRuntimeConfigManager().update({ defaultTransport: 'mail', transports: { mail: { type: 'postgres' } } })
  expect(await send('default')).toMatchObject({ transport: 'mail' })
  expect(await send('postgres')).toMatchObject({ transport: 'supabase' })
})

describe('a transport of the user under one of these names is his own', () => {
  test('in the configuration', async () => {
    getRuntimeConfigManager().update({ transports: { postgres: { type: 'postgres', queue: 'own' } } })
    expect(await send('postgres')).toMatchObject({ transport: 'postgres', queue: 'own' })
    expect(await send('default')).toMatchObject({ transport: 'supabase' })
    expect([await drain('postgres'), await drain('supabase')]).toEqual([1, 1])
  })

  test('in the database', async () => {
    await database.query(
      `INSERT INTO symphony.messenger_transports (name, type, config) VALUES ('postgres', 'postgres', '{"queue": "own"}')`,
    )
    // Rows are read at the first use of a configuration's database, and in the background after that.
    const sent = async () => (await send('postgres')).transport
    await expect.poll(sent, { timeout: 15_000, interval: 200 }).toBe('postgres')
  })
})
