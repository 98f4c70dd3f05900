import { consumeBatch, discard, dispatch, dispatchBatch, HandlerRegistry, snooze } from '@leadmap/symphony'
import { getMetrics, prometheusMetrics } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({
  transports: { email: { type: 'postgres' } },
  retry: { default: { delay: 1, jitter: 0, maxRetries: 1 } },
})

beforeEach(async () => {
  await emptyTables(database, 'messenger_metrics')
})

const many = (type: string, count: number) => Array.from({ length: count }, () => ({ type, payload: {} }))

const registry = new HandlerRegistry()
registry.register('Good', () => undefined)
registry.register('Bad', () => Promise.reject(new RangeError('no')))
registry.register('Old', () => discard('too old'))
registry.register('Later', () => snooze('1h'))

describe('getMetrics()', () => {
  test('counts what consumeBatch() did, over several calls', async () => {
    await dispatchBatch([...many('Good', 40), ...many('Bad', 10), ...many('Old', 3), ...many('Later', 2)])
    let deadLettered = 0
    while (deadLettered < 10) deadLettered += (await consumeBatch({ registry, batchSize: 7 })).deadLettered
    const metrics = await getMetrics()
    expect(metrics).toMatchObject({
      totalProcessed: 63,
      totalSucceeded: 40,
      totalFailed: 20,
      totalRetried: 10,
      totalDeadLettered: 10,
      totalDiscarded: 3,
      totalSnoozed: 2,
      successRate: 40 / 63,
      failureRate: 20 / 63,
      retryRate: 10 / 63,
    })
    expect(metrics.byMessageType.Bad).toMatchObject({ totalProcessed: 20, totalFailed: 20, successRate: 0 })
    expect(metrics.byTransport.supabase).toMatchObject({ totalProcessed: 63 })
    expect(metrics.errors).toEqual([
      { class: 'RangeError', count: 20, lastSeen: expect.any(Date), messageTypes: ['Bad'] },
    ])
    expect(Math.abs((metrics.errors[0]?.lastSeen.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    expect(metrics.p99ProcessingTime).toBeGreaterThanOrEqual(metrics.p50ProcessingTime)
    expect(metrics.p50ProcessingTime).toBeGreaterThan(0)
    expect(metrics.averageWaitingTime).toBeGreaterThan(0)
  })

  test('knows where a message came from', async () => {
    await dispatch({ type: 'Good', payload: {} }, { transport: 'email' })
    await dispatch({ type: 'Good', payload: {} })
    await consumeBatch({ registry })
    const { byTransport } = await getMetrics({ minutes: 5 })
    expect(Object.keys(byTransport).sort()).toEqual(['email', 'supabase'])
  })

  test('counts every message once when ten invocations drain at the same time', async () => {
    await dispatchBatch(many('Good', 500))
    await Promise.all(Array.from({ length: 10 }, () => consumeBatch({ registry, batchSize: 5 })))
    expect(await getMetrics()).toMatchObject({ totalProcessed: 500, totalSucceeded: 500 })
  })

  test('a window is a span of minutes', async () => {
    await dispatch({ type: 'Good', payload: {} })
    await consumeBatch({ registry })
    await database.query(`UPDATE symphony.messenger_metrics SET minute = minute - interval '30 minutes'`)
    expect(await getMetrics({ minutes: 10 })).toMatchObject({ totalProcessed: 0, successRate: 1, failureRate: 0 })
    expect(await getMetrics({ minutes: 60 })).toMatchObject({ totalProcessed: 1 })
    const startTime = new Date(Date.now() - 40 * 60_000)
    const endTime = new Date(Date.now() - 20 * 60_000).toISOString()
    const metrics = await getMetrics({ startTime, endTime })
    expect(metrics).toMatchObject({ totalProcessed: 1, endTime: new Date(endTime) })
    expect(metrics.startTime.getTime()).toBe(Math.floor(startTime.getTime() / 60_000) * 60_000)
  })

  test.each([
    [{ minutes: 0 }, /option minutes: got 0, wants/],
    [{ minutes: Number.NaN }, /option minutes/],
    [{ minutes: 1e15 }, /minutes: got/],
    [{ startTime: 'soon' }, /option startTime: got soon, wants a valid Date/],
    [{ startTime: 2_000, endTime: 1_000 }, /endTime: got .* wants an instant after startTime/],
  ])('%j is refused', async (options, problem) => {
    await expect(getMetrics(options)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(problem),
    })
  })

  test('nothing is kept of a payload', async () => {
    registry.register('Secret', () => Promise.reject(new Error('hunter2')))
    await dispatch({ type: 'Secret', payload: { password: 'hunter2' } })
    await consumeBatch({ registry })
    const rows = await database.query('SELECT * FROM symphony.messenger_metrics')
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain('hunter2')
  })
})

describe('prometheusMetrics()', () => {
  test('is the text exposition format', async () => {
    const odd = 'Od"d\\\n'
    registry.register('Good', () => undefined)
    await dispatchBatch([...many('Good', 2), ...many('Bad', 1)])
    await dispatch({ type: 'Good', payload: {} }, { queue: odd.trim(), delay: '1h' })
    await consumeBatch({ registry })
    const text = await prometheusMetrics({ minutes: 5 })
    expect(text).toContain('# TYPE symphony_messages gauge\n')
    expect(text).toContain('symphony_messages{message_type="Good",outcome="succeeded"} 2\n')
    expect(text).toContain('symphony_processing_seconds_count{message_type="Good"} 2\n')
    expect(text).toContain('symphony_errors{class="RangeError"} ')
    expect(text).toContain('symphony_queue_depth{transport="supabase",queue="Od\\"d\\\\",state="delayed"} 1\n')
    const line = /^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="([^"\\\n]|\\.)*",?)*\} [\d.e+-]+)$/
    for (const row of text.trimEnd().split('\n')) expect(row).toMatch(line)
  })
})
