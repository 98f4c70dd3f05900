import { setTimeout as sleep } from 'node:timers/promises'
import { consumeBatch, HandlerRegistry } from '@leadmap/symphony'
import pg from 'pg'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { fill } from './support/queue.js'
import { numbers, scaled } from './support/scale.js'

const database = await createQueue()
const ROUNDS = scaled(1, 10)
const MESSAGES = 500

beforeEach(() => emptyTables(database))

test.each(numbers(ROUNDS).map((n) => n + 1))(
  'consumeBatch() with 2 s for 150 s of work is back in time, and another process has the rest at once (round %i)',
  { timeout: 60_000 },
  async () => {
    await fill(numbers(MESSAGES).map((n) => ({ n })))
    const journal = new Journal()
    const handled: number[] = []
    const registry = new HandlerRegistry()
    registry.register('Work', async ({ payload }, { signal }) => {
      await sleep(300, undefined, { signal })
      handled.push(payload.n)
    })

    const start = performance.now()
    const result = await consumeBatch({ registry, timeLimit: 2000, maxConcurrency: 5 })
    const took = since(start)

    expect(result).toMatchObject({ stoppedBy: 'timeLimit', drained: false, retried: 0, deadLettered: 0, lost: 0 })
    expect(result.succeeded).toBe(handled.length)
    expect(result.claimed).toBe(result.succeeded + result.released)
    expect(took).toBeLessThan(2300)

    const rows = await database.query(
      `SELECT status, count(*)::int AS n, max(retry_count) AS retries, max(crash_count) AS crashes,
              count(locked_by)::int AS locked, bool_and(available_at <= now()) AS due
       FROM symphony.messenger_messages WHERE status <> 'completed' GROUP BY status`,
    )
    const left = MESSAGES - handled.length
    expect(rows).toEqual([{ status: 'pending', n: left, retries: 0, crashes: 0, locked: 0, due: true }])

    const options = { url: database.url, journal, lease: '30s', mode: 'drain', environment: { HASTE: '1' } } as const
    const other = await startConsumer({ ...options, concurrency: 50, batchSize: 500 })
    expect(await other.result()).toMatchObject({ claimed: left, succeeded: left, drained: true })
    const mine = new Set(handled)
    expect([...journal.runs().keys()].sort((a, b) => a - b)).toEqual(numbers(MESSAGES).filter((n) => !mine.has(n)))
    tell('7 time limit', {
      messages: MESSAGES,
      'ms until it returned': took,
      handled: result.succeeded,
      released: result.released,
      'left to the other': left,
    })
  },
)

test('what is left is counted, also while chores wait for a lock', async () => {
  await fill(numbers(3).map((n) => ({ n })))
  const other = new pg.Client(database.directUrl)
  await other.connect()
  onTestFinished(() => other.end())
  await other.query('BEGIN; LOCK TABLE symphony.messenger_depths')
  const registry = new HandlerRegistry()
  registry.register('Work', () => undefined)
  const result = await consumeBatch({ registry, timeLimit: 30_000, messageLimit: 1 })
  expect(result).toMatchObject({ succeeded: 1, queueDepth: 2, stoppedBy: 'messageLimit' })
})
