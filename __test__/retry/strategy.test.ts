import {
  ConfigurationError,
  consumeBatch,
  dispatch,
  getRetryConfig,
  HandlerRegistry,
  type RetryConfig,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { retryDelay } from '@leadmap/symphony/config'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const HOUR = 3_600_000
const database = await createQueue({
  retry: {
    default: { delay: 0, jitter: 0 },
    Growing: { maxRetries: 4, delay: '1h', multiplier: 2, maxDelay: '3h' },
    'Spread*': { delay: HOUR, jitter: 0.1, maxDelay: 0 },
    Once: { maxRetries: 0 },
  },
})

beforeEach(() => emptyTables(database))

const failing = new HandlerRegistry()
failing.register('*', ({ type }) => Promise.reject(new Error(`${type} fails`)))

/** Makes everything due, fails it once, and tells how long each message waits for its next run, to the minute. */
async function failOnce(): Promise<number[]> {
  await database.query("UPDATE symphony.messenger_messages SET available_at = now() WHERE status = 'pending'")
  await consumeBatch({ registry: failing })
  const rows = await database.query<{ minutes: number }>(
    `SELECT round(extract(epoch FROM available_at - now()) / 60)::int AS minutes
     FROM symphony.messenger_messages WHERE status = 'pending' ORDER BY id`,
  )
  return rows.map(({ minutes }) => minutes)
}

describe('a failed message', () => {
  test('waits as the strategy of its type says, and is a dead letter after its last retry', async () => {
    await dispatch({ type: 'Growing', payload: {} })
    expect(await failOnce()).toEqual([60])
    expect(await failOnce()).toEqual([120])
    expect(await failOnce()).toEqual([180])
    expect(await failOnce()).toEqual([180])
    expect(await storedMessages(database)).toMatchObject([{ retry_count: 4, last_error: 'Growing fails' }])
    expect(await failOnce()).toEqual([])
    expect((await listFailed()).messages).toMatchObject([{ type: 'Growing', retryCount: 4 }])
  })

  test('waits a little more or less where there is jitter, by the strategy of a pattern', async () => {
    for (let n = 0; n < 40; n += 1) await dispatch({ type: `Spread${n}`, payload: {} })
    const waits = await failOnce()
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(53)
    expect(Math.max(...waits)).toBeLessThanOrEqual(66)
    expect(new Set(waits).size).toBeGreaterThan(3)
  })

  test('is handled again in the same drain when its retry is due at once', async () => {
    const registry = new HandlerRegistry()
    registry.register('Flaky', (_message, { attempt }) => {
      if (attempt < 3) throw new Error('not yet')
    })
    for (let round = 0; round < 20; round += 1) {
      await dispatch({ type: 'Flaky', payload: { round } })
      expect(await consumeBatch({ registry })).toMatchObject({ claimed: 3, retried: 2, succeeded: 1, drained: true })
    }
  })

  test.each([
    ['of its type', 'Once', undefined, 1],
    ['by default', 'Other', undefined, 11],
    ['of its own', 'Other', 1, 2],
    ['of its own, more than its type has', 'Once', 2, 3],
    ['of its own, none', 'Other', 0, 1],
  ])('runs once more than the retries %s', async (_where, type, maxRetries, runs) => {
    await dispatch({ type, payload: {} }, { maxRetries })
    const known: Array<[attempt: number, maxRetries: number]> = []
    const registry = new HandlerRegistry()
    registry.register(type, (_message, context) => {
      known.push([context.attempt, context.maxRetries])
      throw new Error('no')
    })
    await consumeBatch({ registry })
    expect(known).toEqual(Array.from({ length: runs }, (_, n) => [n + 1, runs - 1]))
    expect((await listFailed()).messages).toMatchObject([{ type, retryCount: runs - 1 }])
  })

  test('keeps the errors of all its runs', async () => {
    const errors = [
      new TypeError('first'),
      Object.assign(new Error('second'), { code: 'ECONNRESET' }),
      'third',
      new Error('last'),
    ]
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, { attempt }) => {
      throw errors[attempt - 1]
    })
    await dispatch({ type: 'Any', payload: {} }, { maxRetries: 3 })
    await consumeBatch({ registry })
    const [failed] = (await listFailed({ full: true })).messages
    expect(failed).toMatchObject({ error: 'last', errorClass: 'Error' })
    const run = { at: expect.any(Date), ms: expect.any(Number), worker: expect.stringMatching(/^[\da-f-]{36}$/) }
    expect(failed?.errorHistory).toEqual([
      // The stacks of the last three are kept.
      { ...run, class: 'TypeError', message: 'first' },
      { ...run, class: 'Error', message: 'second', stack: expect.any(String) },
      { ...run, class: 'NonError', message: 'third' },
      { ...run, class: 'Error', message: 'last', stack: expect.any(String) },
    ])
    expect(new Set(failed?.errorHistory.map(({ worker }) => worker)).size).toBe(1)
    const times = failed?.errorHistory.map(({ at }) => at.getTime()) ?? []
    expect(times).toEqual([...times].sort())
  })
})

describe('retryDelay()', () => {
  /** Strategies without jitter, and the waits before retry 0, 1, 2, …: the vectors of Symfony Messenger. */
  const VECTORS: Array<[delay: number, multiplier: number, maxDelay: number, waits: number[]]> = [
    [1000, 1, 5000, [1000, 1000, 1000]],
    [1000, 2, 10_000, [1000, 2000, 4000, 8000, 10_000]],
    [1000, 2, 0, [1000, 2000, 4000, 8000, 16_000]],
    [1000, 3, 10_000, [1000, 3000, 9000]],
    [1000, 1, 500, [500]],
    [0, 2, 10_000, [0, 0]],
    [1000, 1.5555, 5000, [1000, 1556, 2420]],
    [1000, 2, 30_000, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
    [2000, 2, 60_000, [2000, 4000, 8000, 16_000, 32_000]],
  ]

  test.each(VECTORS)('%i ms times %f, at most %i ms: %j', (delay, multiplier, maxDelay, waits) => {
    const strategy = { delay, multiplier, maxDelay, jitter: 0 }
    expect(waits.map((_, retry) => retryDelay(strategy, retry))).toEqual(waits)
  })

  test.each([1, 0.9, 0.5, 0.1])('stays inside a jitter of %f on both sides', (jitter) => {
    const draws = Array.from({ length: 300 }, () => retryDelay({ delay: 1000, multiplier: 1, maxDelay: 0, jitter }, 0))
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(1000 - 1000 * jitter)
    expect(Math.max(...draws)).toBeLessThanOrEqual(1000 + 1000 * jitter)
    expect(new Set(draws).size).toBeGreaterThan(10)
  })

  test('never leaves what a date can hold', () => {
    const wait = retryDelay({ delay: '1d', multiplier: 1000, maxDelay: 0 }, 1000)
    expect(new Date(Date.now() + wait).getTime()).not.toBeNaN()
  })

  test.each<[RetryConfig, number]>([
    [{ delay: -1 }, 0],
    [{ multiplier: 0.5 }, 0],
    [{ jitter: 2 }, 0],
    [{ jiter: 0 } as RetryConfig, 0],
    [{}, -1],
    [{}, 0.5],
  ])('refuses %o, retry %f', (strategy, retry) => {
    expect(() => retryDelay(strategy, retry)).toThrow(ConfigurationError)
  })
})

test('getRetryConfig() fills the gaps of a type from the default', () => {
  expect(getRetryConfig('Growing')).toEqual({
    maxRetries: 4,
    delay: HOUR,
    multiplier: 2,
    maxDelay: 3 * HOUR,
    jitter: 0,
  })
  expect(getRetryConfig('SpreadAnything')).toMatchObject({ maxRetries: 10, delay: HOUR, jitter: 0.1 })
  expect(getRetryConfig('Other')).toEqual({ maxRetries: 10, delay: 0, multiplier: 2, maxDelay: 600_000, jitter: 0 })
})
