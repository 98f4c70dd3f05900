import { consumeBatch, discard, dispatch, dispatchBatch, HandlerRegistry, setConfig, snooze } from '@leadmap/symphony'
import { cleanup, getMetrics, listErrorGroups, type MetricsOptions } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { samplesOf } from '../support/exposition.js'
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

  test('tells queues apart, with how long their messages have waited', async () => {
    await dispatchBatch(many('Good', 4), { queue: 'mail' })
    await dispatchBatch([...many('Good', 2), ...many('Old', 1)], { queue: 'bulk' })
    await database.query(
      `UPDATE symphony.messenger_messages_pending SET available_at = now() - interval '90 s' WHERE queue_name = 'bulk'`,
    )
    await consumeBatch({ registry, batchSize: 3 })
    const { byQueue, capped } = await getMetrics()
    expect(capped).toBe(false)
    expect(byQueue).toMatchObject({ mail: { totalProcessed: 4 }, bulk: { totalProcessed: 3, totalDiscarded: 1 } })
    expect(byQueue.bulk?.p50WaitingTime).toBeGreaterThan(88_000)
    expect(byQueue.bulk?.p99WaitingTime).toBeLessThan(120_000)
    expect(byQueue.mail?.p99WaitingTime).toBeLessThan(60_000)
  })

  test('knows where a message came from', async () => {
    await dispatch({ type: 'Good', payload: {} }, { transport: 'email' })
    await dispatch({ type: 'Good', payload: {} })
    await consumeBatch({ registry })
    const { byTransport } = await getMetrics({ minutes: 5 })
    expect(Object.keys(byTransport).sort()).toEqual(['email', 'supabase'])
  })

  test('is about one transport, under any of its names, or about all', async () => {
    await dispatch({ type: 'Good', payload: {} }, { transport: 'email' })
    await dispatchBatch(many('Bad', 2))
    await consumeBatch({ registry, messageLimit: 3 })
    expect(await getMetrics()).toMatchObject({ totalProcessed: 3, byMessageType: { Good: {}, Bad: {} } })
    const email = await getMetrics({ transport: 'email' })
    expect(email).toMatchObject({ totalProcessed: 1, totalFailed: 0, errors: [], queue: { depth: 0, completed: 1 } })
    expect([Object.keys(email.byMessageType), Object.keys(email.byTransport)]).toEqual([['Good'], ['email']])
    const other = await getMetrics({ transport: 'postgres' })
    expect(other).toMatchObject({ totalProcessed: 2, errors: [{ count: 2 }], queue: { depth: 2, completed: 0 } })
  })

  test('has what the queue holds now, whatever the period', async () => {
    await dispatchBatch([...many('Good', 2), ...many('Old', 1)])
    await consumeBatch({ registry })
    await dispatch({ type: 'Good', payload: {} }, { queue: 'slow' })
    await dispatch({ type: 'Good', payload: {} }, { delay: '1h' })
    const { queue } = await getMetrics({ startTime: 0, endTime: 60_000 })
    const counts = { pending: 1, delayed: 1, processing: 0, depth: 2, completed: 2, discarded: 1, cancelled: 0 }
    expect(queue).toMatchObject({ ...counts, failed: 0, schedules: 0, capped: false, oldestAge: expect.any(Number) })
    expect(queue.queues.map(({ queue, pending, delayed }) => [queue, pending, delayed]).sort()).toEqual([
      ['default', 0, 1],
      ['slow', 1, 0],
    ])
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
    [{ minutes: 0 }, /options\.minutes: got 0, wants/],
    [{ minutes: Number.NaN }, /options\.minutes/],
    [{ minutes: 1e15 }, /minutes: got/],
    [{ startTime: 'soon' }, /options\.startTime: got "soon", wants a valid Date/],
    [{ startTime: 2_000, endTime: 1_000 }, /endTime: got .* wants an instant after startTime/],
    [{ transport: 'nowhere' }, /nowhere/],
    [{ format: 'xml' }, /options\.format: got "xml", wants 'prometheus'/],
    [{ format: 'prometheus', minutes: 5 }, /options\.minutes: got 5, wants nothing beside format/],
  ])('%j is refused', async (options, problem) => {
    await expect(getMetrics(options as MetricsOptions)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(problem),
    })
  })

  test('are kept forever where the configuration says so, also by the hour', async () => {
    onTestFinished(() => setConfig({ retention: { metrics: '7d' } }))
    await emptyTables(database, 'messenger_metrics_hourly', 'messenger_error_groups')
    await database.query(
      `INSERT INTO symphony.messenger_metrics_hourly
         (hour, transport_name, message_type, queue_name, succeeded, retried, dead_lettered, discarded, snoozed, released,
          duration_ms, waited_ms, buckets, counts, wait_buckets, wait_counts)
       VALUES (date_trunc('hour', now()) - interval '200 days', 'supabase', 'Old', 'default', 7, 0, 0, 0, 0, 0, 0, 0, '{}',
               '{}', '{}', '{}')`,
    )
    await database.query(
      `INSERT INTO symphony.messenger_error_groups (message_type, error_class, first_at, last_at, occurrences)
       VALUES ('Old', 'RangeError', now() - interval '200 days', now() - interval '200 days', 7)`,
    )
    const kept = async () => [
      (await getMetrics({ startTime: new Date(Date.now() - 201 * 86_400_000) })).totalSucceeded,
      (await listErrorGroups({ type: 'Old' })).length,
    ]
    setConfig({ retention: { metrics: 'forever' } })
    await cleanup()
    expect(await kept()).toEqual([7, 1])
    setConfig({ retention: { metrics: '300d' } })
    await cleanup()
    expect(await kept()).toEqual([7, 1])
    setConfig({ retention: { metrics: '7d' } })
    await cleanup()
    expect(await kept()).toEqual([0, 0])
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

describe('getMetrics() for Prometheus', () => {
  beforeEach(() => emptyTables(database, 'messenger_metrics', 'messenger_totals'))

  const scrape = async () => samplesOf(await getMetrics({ format: 'prometheus' }))

  test('has true counters, histograms and gauges', async () => {
    const types = [...(await getMetrics({ format: 'prometheus' })).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(
      ([, name, type]) => [name, type],
    )
    expect(Object.fromEntries(types)).toEqual({
      symphony_messages_settled_total: 'counter',
      symphony_processing_duration_seconds: 'histogram',
      symphony_waiting_seconds_total: 'counter',
      symphony_queue_depth: 'gauge',
      symphony_oldest_message_age_seconds: 'gauge',
    })
  })

  test('counts settlings and times runs', async () => {
    await dispatchBatch([...many('Good', 2), ...many('Bad', 1)])
    await consumeBatch({ registry })
    const samples = await scrape()
    const labels = { transport: 'supabase', message_type: 'Good' }
    const settled = { ...labels, outcome: 'succeeded' }
    expect(samples).toContainEqual({ name: 'symphony_messages_settled_total', labels: settled, value: 2 })
    const name = 'symphony_processing_duration_seconds'
    expect(samples).toContainEqual({ name: `${name}_count`, labels, value: 2 })
    const good = samples.filter((it) => it.labels.message_type === 'Good')
    expect(good.find((it) => it.name === `${name}_sum`)?.value).toBeGreaterThan(0)
    const buckets = good.filter((it) => it.name === `${name}_bucket`)
    expect(buckets.at(-1)).toMatchObject({ labels: { ...labels, le: '+Inf' }, value: 2 })
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity')))
    expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
    const counts = buckets.map(({ value }) => value)
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
  })

  test('shows depth and age of each queue, whatever it is called', async () => {
    const queue = 'Od"d\\'
    await dispatch({ type: 'Good', payload: {} }, { queue })
    await dispatch({ type: 'Good', payload: {} }, { queue, delay: '1h' })
    await database.query(
      "UPDATE symphony.messenger_messages_pending SET available_at = now() - interval '1 min' WHERE available_at < now()",
    )
    const samples = await scrape()
    for (const [state, value] of Object.entries({ pending: 1, delayed: 1, processing: 0 })) {
      const labels = { transport: 'supabase', queue, state }
      expect(samples).toContainEqual({ name: 'symphony_queue_depth', labels, value })
    }
    const ages = samples.filter(({ name }) => name === 'symphony_oldest_message_age_seconds')
    expect(ages.find(({ labels }) => labels.queue === queue)?.value).toBeGreaterThanOrEqual(60)
  })

  test('no counter falls while rows are merged and deleted', async () => {
    await dispatchBatch([...many('Good', 20), ...many('Bad', 10)])
    for (const _ of Array.from({ length: 5 })) await consumeBatch({ registry, messageLimit: 5 })
    const counters = async () => (await scrape()).filter(({ name }) => /_(total|bucket|sum|count)$/.test(name))
    const before = await counters()
    expect(before.length).toBeGreaterThan(30)
    const age = (hours: number) =>
      database.query('UPDATE symphony.messenger_metrics SET minute = minute - make_interval(hours => $1)', [hours])
    const rows = () => database.query('SELECT FROM symphony.messenger_metrics')

    const unmerged = (await rows()).length
    await age(2)
    await cleanup()
    expect((await rows()).length).toBeLessThan(unmerged)
    expect(await counters()).toEqual(before)

    await age(24 * 30)
    await cleanup()
    expect(await rows()).toHaveLength(0)
    expect(await counters()).toEqual(before)
  })
})
