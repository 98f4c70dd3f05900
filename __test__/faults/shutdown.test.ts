import { close, consumeBatch, dispatch, HandlerRegistry, setConfig, TransportError } from '@leadmap/symphony'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyTables } from '../support/symphony.js'
import { type Consumer, startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { createOwnQueue } from './support/own-server.js'
import { ended, fill, isDone, tally } from './support/queue.js'
import { startRelay } from './support/relay.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createOwnQueue()
const { postgres } = database
const MESSAGES = scaled(400, 4000)

beforeEach(async () => {
  setConfig({ database: { url: database.url, statementTimeout: '30s' } })
  await emptyTables(database, 'messenger_workers')
})
afterEach(close)

test('SIGTERM under load, again and again, as a deployment does: nothing runs twice, nothing is left behind', {
  timeout: 180_000,
}, async () => {
  const journal = new Journal()
  await fill(numbers(MESSAGES).map((n) => ({ n, ms: between(1, 40) })))
  const options = { url: database.url, journal, lease: '30s', concurrency: 8, batchSize: 20 }
  const start = () => startConsumer(options)
  let consumers: Consumer[] = await Promise.all([start(), start()])
  let terms = 0
  for (const mark of [0.2, 0.5, 0.8]) {
    await until('so many are done', () => journal.count('end') >= mark * MESSAGES)
    const fresh = await Promise.all(consumers.map(start))
    for (const { process } of consumers) process.kill('SIGTERM')
    for (const consumer of consumers) {
      expect(await consumer.result()).toMatchObject({ stoppedBy: 'signal', lost: 0, retried: 0 })
      expect(await consumer.ended).toMatchObject({ code: 0, signal: null })
      terms += 1
    }
    consumers = fresh
  }
  await until('everything is done', () => isDone(database))
  await Promise.all(consumers.map((consumer) => consumer.stop()))
  expect(await ended(database)).toEqual(numbers(MESSAGES))
  for (const runs of journal.runs().values()) expect(runs).toHaveLength(1)
  const touched = await database.query(
    'SELECT FROM symphony.messenger_messages WHERE crash_count > 0 OR retry_count > 0',
  )
  expect(touched).toEqual([])
  expect(await database.query('SELECT FROM symphony.messenger_workers')).toEqual([])
  tell('shutdown, SIGTERM', { messages: MESSAGES, 'processes ended': terms, 'handled twice': 0, 'leases left': 0 })
})

test('SIGTERM while the database is gone: the process ends, and the message is handled when it is back', {
  timeout: 60_000,
}, async () => {
  const journal = new Journal()
  await fill([{ n: 1, ms: 300 }])
  const options = { url: database.url, journal, lease: '1s', environment: { SHUTDOWN_TIMEOUT: '2000' } }
  const consumer = await startConsumer(options)
  await until('it has begun', () => journal.count('start') === 1)
  await postgres.kill('immediate')
  const start = performance.now()
  consumer.process.kill('SIGTERM')
  expect(await consumer.result()).toMatchObject({ code: expect.stringMatching(/^SYMPHONY_/) })
  expect(await consumer.ended).toMatchObject({ signal: null })
  const took = since(start)
  await postgres.restart()
  await database.isBack()
  const heir = await startConsumer({ url: database.url, journal, lease: '1s' })
  await until('the heir has done it', () => isDone(database))
  await heir.stop()
  expect(await tally(database)).toMatchObject({ completed: 1, dead: 0 })
  tell('shutdown, database gone', { 'shutdownTimeout in ms': 2000, 'ms until it ended': took, lost: 0 })
})

test('dispatch() over a wire that went silent fails within its time limit, and works when the wire is back', async () => {
  const relay = await startRelay(database.url)
  setConfig({ database: { url: `${relay.url}?sslmode=disable`, statementTimeout: '1s', connectTimeout: '1s' } })
  await dispatch({ type: 'Other', payload: {} })
  relay.freeze()
  const took: number[] = []
  // First over the connection that is there, then over one that cannot be had.
  for (const _ of numbers(3)) {
    const start = performance.now()
    const refusal = await dispatch({ type: 'Other', payload: {} }).catch((error: unknown) => error)
    took.push(since(start))
    expect(refusal).toBeInstanceOf(TransportError)
  }
  // The statement's limit, a second for the server's own word, and one for the answer to the cancellation.
  for (const each of took) expect(each).toBeLessThan(5000)
  relay.cut()
  relay.thaw()
  expect(await dispatch({ type: 'Other', payload: {} })).toMatchObject({ status: 'queued' })
  tell('dispatch, wire silent', { 'statementTimeout in ms': 1000, 'ms until it fails': took.join('/') })
})

test('consumeBatch() with a time limit is back in time when the wire goes silent under it', async () => {
  await fill(numbers(50).map((n) => ({ n })))
  await close()
  const relay = await startRelay(database.url)
  setConfig({ database: { url: `${relay.url}?sslmode=disable` }, worker: { lease: '1s' } })
  const registry = new HandlerRegistry()
  let handled = 0
  registry.register('Work', () => {
    handled += 1
    if (handled === 5) relay.freeze()
  })
  const start = performance.now()
  const outcome = await consumeBatch({ registry, timeLimit: 2000, maxConcurrency: 1, batchSize: 10 }).catch(
    (error: unknown) => error,
  )
  const took = since(start)
  expect(outcome).toMatchObject({ name: 'TransportError', code: 'SYMPHONY_TIMEOUT' })
  expect(took).toBeLessThan(5000)
  await close()
  setConfig({ database: { url: database.url } })
  await until('all are done', async () => {
    await consumeBatch({ registry })
    return isDone(database)
  })
  expect(await ended(database)).toEqual(numbers(50))
  tell('consumeBatch, wire silent', { 'timeLimit in ms': 2000, 'ms until it returned': took, lost: 0 })
})
