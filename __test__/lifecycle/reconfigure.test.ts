import {
  close,
  consumeBatch,
  dispatch,
  getConfig,
  HandlerRegistry,
  migrate,
  setConfig,
  Worker,
} from '@leadmap/symphony'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
const other = await createDatabase()
setConfig({ database: { url: other.url } })
await migrate()

beforeEach(async () => {
  setConfig({ database: { url: database.url }, defaultPriority: 5 })
  await Promise.all([emptyTables(database), emptyTables(other)])
})
afterEach(() => {
  delete process.env.SYMPHONY_DEFAULT_QUEUE
})

const message = { type: 'Any', payload: {} }
const registry = new HandlerRegistry()
registry.register('Any', () => undefined)

const count = async (where: typeof database) => (await storedMessages(where)).length

test('setConfig() after the first use is in force for the next call', async () => {
  expect(await dispatch(message)).toMatchObject({ priority: 5 })
  setConfig({ defaultPriority: 9 })
  expect(await dispatch(message)).toMatchObject({ priority: 9 })
  expect(getConfig().defaultPriority).toBe(9)
})

test('another database at run time is used from the next call on, and the first one again later', async () => {
  await dispatch(message)
  setConfig({ database: { url: other.url } })
  await dispatch(message)
  expect([await count(database), await count(other)]).toEqual([1, 1])
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, drained: true })
  setConfig({ database: { url: database.url } })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, drained: true })
})

test('dispatches on their way when the database changes all arrive in one of the two', async () => {
  const calls = Array.from({ length: 200 }, () => dispatch(message))
  setConfig({ database: { url: other.url } })
  calls.push(...Array.from({ length: 200 }, () => dispatch(message)))
  await Promise.all(calls)
  expect((await count(database)) + (await count(other))).toBe(400)
})

test('an invalid configuration changes nothing', async () => {
  const before = getConfig()
  expect(() => setConfig({ defaultPriority: 11, defaultQueue: 'never' })).toThrow(/defaultPriority: got 11/)
  expect(getConfig()).toEqual(before)
  expect(await dispatch(message)).toMatchObject({ priority: 5, queue: 'default' })
})

test('an invalid configuration changes nothing before the first use either', async () => {
  await close()
  expect(() => setConfig({ defaultPriority: 11 })).toThrow(/defaultPriority: got 11/)
  expect(await dispatch(message)).toMatchObject({ priority: 5 })
})

test('close() ends the connections, and the next call opens new ones', async () => {
  // Past any pooler: it keeps connections of its own.
  setConfig({ database: { url: `${database.directUrl}?application_name=closing` } })
  await dispatch(message)
  const connections = () => database.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'closing'")
  expect(await connections()).not.toEqual([])
  await close()
  await expect.poll(connections).toEqual([])
  expect(await dispatch(message)).toMatchObject({ status: 'queued' })
  await close()
  await close()
  expect(await count(database)).toBe(2)
})

test('dispatches on their way when close() is called all arrive', async () => {
  // One connection: all but the first wait for it.
  setConfig({ database: { url: database.url, poolSize: 1 } })
  const calls = Array.from({ length: 50 }, (_, n) => dispatch(message, { queue: `queue-${n}` }))
  await close()
  await Promise.all(calls)
  expect(await count(database)).toBe(50)
})

test('close() stops a worker that runs', async () => {
  const handled: string[] = []
  const watching = new HandlerRegistry()
  watching.register('Any', (_message, { id }) => void handled.push(id))
  const ended = new Worker({ registry: watching, handleSignals: false }).run()
  const { messageId } = await dispatch(message)
  await expect.poll(() => handled).toEqual([messageId])
  await close()
  expect(await ended).toMatchObject({ succeeded: 1, stoppedBy: 'stopped' })
})

test('the environment is read at the first use after close(), and not before', async () => {
  expect(await dispatch(message)).toMatchObject({ queue: 'default' })
  process.env.SYMPHONY_DEFAULT_QUEUE = 'from-the-environment'
  expect(await dispatch(message)).toMatchObject({ queue: 'default' })
  await close()
  expect(await dispatch(message)).toMatchObject({ queue: 'from-the-environment' })
  delete process.env.SYMPHONY_DEFAULT_QUEUE
  await close()
})
