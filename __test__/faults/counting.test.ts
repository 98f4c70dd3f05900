/** What is counted is what the database did, whatever was heard of it. */
import { type ConsumeResult, close, consumeBatch, discard, HandlerRegistry, setConfig, Worker } from '@leadmap/symphony'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { startConsumer } from './support/consumer.js'
import { tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { fill, isDone, tally } from './support/queue.js'
import { type Relay, startRelay } from './support/relay.js'
import { between, numbers, random, scaled, seed } from './support/scale.js'
import { until } from './support/until.js'

const LEASE = '1s'
const database = await createQueue()

beforeEach(() => emptyTables(database, 'messenger_metrics', 'messenger_workers'))
afterEach(close)

/** This process consumes over a wire that can fail. */
async function overRelay(completed: '1d' | 'none'): Promise<Relay> {
  const relay = await startRelay(database.directUrl)
  await close()
  setConfig({
    database: { url: relay.url, statementTimeout: 1000, connectTimeout: 1000 },
    retention: { completed },
    retry: { default: { delay: 1, jitter: 0 } },
    worker: { lease: LEASE },
  })
  return relay
}

type Counts = Pick<ConsumeResult, 'succeeded' | 'retried' | 'discarded' | 'deadLettered'>

/** What the metrics have counted. */
async function counted(): Promise<Counts> {
  const [row] = await database.query<Counts & Record<string, number>>(`
    SELECT coalesce(sum(succeeded), 0)::int AS succeeded, coalesce(sum(retried), 0)::int AS retried,
           coalesce(sum(discarded), 0)::int AS discarded, coalesce(sum(dead_lettered), 0)::int AS "deadLettered"
    FROM symphony.messenger_metrics`)
  return row as Counts
}

function sum(results: Counts[]): Counts {
  const total = (key: keyof Counts): number => results.reduce((all, result) => all + result[key], 0)
  return {
    succeeded: total('succeeded'),
    retried: total('retried'),
    discarded: total('discarded'),
    deadLettered: total('deadLettered'),
  }
}

test.each(['1d', 'none'] as const)('answers that are lost after the commit, retention %s', async (completed) => {
  const count = scaled(120, 1200)
  const relay = await overRelay(completed)
  await fill(numbers(count).map((n) => ({ n })))
  let lost = 0
  const registry = new HandlerRegistry()
  registry.register('Work', ({ payload }, { attempt }) => {
    if (random() < 0.1) {
      lost += 1
      relay.loseAnswer()
    }
    if (attempt === 1) throw new Error('once more')
    return payload.n % 3 === 0 ? discard('every third') : undefined
  })
  const results: ConsumeResult[] = []
  await until('all is done', async () => {
    results.push(await consumeBatch({ registry, batchSize: between(1, 20) }))
    return isDone(database)
  })
  const expected = { succeeded: (count * 2) / 3, discarded: count / 3, retried: count, deadLettered: 0 }
  expect(sum(results)).toEqual(expected)
  expect(await counted()).toEqual(expected)
  expect(results.reduce((all, result) => all + result.lost, 0)).toBe(0)
  tell('counting, answers lost', { seed, messages: count, 'answers lost': lost })
})

test.each(['1d', 'none'] as const)(
  'another worker takes what was settled into silence, retention %s: it is lost, and counted once',
  async (completed) => {
    const relay = await overRelay(completed)
    await fill(numbers(10).map((n) => ({ n })))
    let handled = 0
    const registry = new HandlerRegistry()
    registry.register('Work', () => {
      handled += 1
      // Nothing that this process says from now on arrives.
      if (handled === 10) relay.freeze()
    })
    const draining = consumeBatch({ registry, batchSize: 10, messageLimit: 10 })
    await until('its handlers are through', () => handled === 10)
    const journal = new Journal()
    const others: ConsumeResult[] = []
    await until('another consumer has handled them all', async () => {
      const environment = { SYMPHONY_RETENTION_COMPLETED: completed }
      const other = await startConsumer({ url: database.directUrl, journal, lease: LEASE, mode: 'drain', environment })
      others.push(await other.result())
      return isDone(database)
    })
    relay.cut()
    relay.thaw()
    const result = await draining
    expect(result).toMatchObject({ claimed: 10, succeeded: 0, lost: 10 })
    expect(sum(others)).toMatchObject({ succeeded: 10 })
    expect(await counted()).toMatchObject({ succeeded: 10, retried: 0 })
    if (completed === '1d') expect(await tally(database)).toMatchObject({ completed: 10 })
  },
)

test('two workers, of which one loses answers, its connections and its leases: the ledger and the metrics agree', async () => {
  const count = scaled(150, 1500)
  const relay = await overRelay('1d')
  await fill(numbers(count).map((n) => ({ n, ms: 20 })))
  const registry = new HandlerRegistry()
  let silences = 0
  registry.register('Work', async (_message, { attempt }) => {
    const dice = random()
    if (dice < 0.05) relay.loseAnswer()
    else if (dice < 0.07) relay.cut()
    else if (dice < 0.09 && silences < 2) {
      silences += 1
      relay.freeze()
      setTimeout(
        () => {
          relay.cut()
          relay.thaw()
        },
        between(500, 2500),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
    if (attempt === 1) throw new Error('once more')
  })
  const worker = new Worker({ registry, batchSize: 10, pollInterval: 50 })
  worker.on('error', () => undefined)
  const working = worker.run()
  const other = await startConsumer({ url: database.directUrl, journal: new Journal(), lease: LEASE, concurrency: 1 })
  await until('all is done', () => isDone(database), { patience: 120_000 })
  await worker.stop()
  const results = [await working, await other.stop()]
  const { completed, dead } = await tally(database)
  expect(completed + dead).toBe(count)
  const [row] = await database.query<{ retried: number }>(
    'SELECT sum(retry_count)::int AS retried FROM symphony.messenger_messages_finished',
  )
  expect(sum(results)).toMatchObject({ succeeded: completed, retried: row?.retried })
  expect(await counted()).toMatchObject({ succeeded: completed, retried: row?.retried })
  tell('counting, two workers', { seed, messages: count, silences, lost: results.map(({ lost }) => lost).join() })
})
