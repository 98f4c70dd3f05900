import { close, consumeBatch, dispatch, HandlerRegistry, setConfig, Worker } from '@leadmap/symphony'
import { listSchedules } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { isPooled } from '../support/database.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()
/** How a URL names its connections, so that they can be counted. */
const NAME = 'asked'
/** Past any pooler: it keeps connections of its own. */
const url = `${database.directUrl}?application_name=${NAME}`

beforeEach(() => emptyTables(database))
afterEach(async () => {
  await close()
  await expect.poll(connections).toBe(0)
})

/** A lock that every list of schedules waits for, and no worker. */
async function lockSchedules(): Promise<() => Promise<void>> {
  const holder = new pg.Client(database.directUrl)
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query('BEGIN; LOCK TABLE symphony.messenger_schedules IN ACCESS EXCLUSIVE MODE')
  return async () => void (await holder.query('COMMIT'))
}

const waiting = async () => {
  const [row] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
    [NAME],
  )
  return row?.n ?? 0
}

const connections = async () => {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1',
    [NAME],
  )
  return row?.n ?? 0
}

describe.skipIf(isPooled())('five questions that wait for a lock', () => {
  test('cost a worker neither its lease nor its next messages', async () => {
    setConfig({
      database: { url, poolSize: 5, connectTimeout: '60s', statementTimeout: '60s' },
      worker: { lease: '2s' },
    })
    const started: unknown[] = []
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const registry = new HandlerRegistry()
    registry.register('Any', async ({ payload }) => {
      started.push(payload.n)
      if (payload.n === 0) await finished
    })
    await dispatch({ type: 'Any', payload: { n: 0 } })
    const worker = new Worker({ registry, handleSignals: false, maxConcurrency: 2, pollInterval: 50 })
    const ended = worker.run()
    await expect.poll(() => started).toEqual([0])
    const leases: Date[] = []
    const lease = async () => {
      const [row] = await database.query<{ lease_until: Date; stands: boolean }>(
        'SELECT lease_until, lease_until > now() AS stands FROM symphony.messenger_workers',
      )
      if (row && leases.at(-1)?.getTime() !== row.lease_until.getTime()) leases.push(row.lease_until)
      return row?.stands
    }

    const unlock = await lockSchedules()
    const questions = Array.from({ length: 5 }, () => listSchedules())
    await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThan(0)
    // Three leases long, by the database's clock.
    const [begun] = await database.query<{ at: Date }>('SELECT now() AS at')
    const isLong = `SELECT now() > $1::timestamptz + interval '6 seconds' AS long`
    for (let n = 1; !(await database.query(isLong, [begun?.at]))[0]?.long; n++) {
      expect(await lease()).toBe(true)
      await dispatch({ type: 'Any', payload: { n } })
      await expect.poll(() => started.at(-1), { timeout: 10_000 }).toBe(n)
    }
    expect(leases.length).toBeGreaterThan(3)
    expect(await waiting()).toBeGreaterThan(0)

    await unlock()
    await Promise.all(questions)
    finish()
    await worker.stop()
    expect(await ended).toMatchObject({ succeeded: started.length, lost: 0 })
    expect(started).toEqual(started.map((_, n) => n))
  })

  test('wait for each other, and are told so where that takes too long', async () => {
    setConfig({ database: { url, poolSize: 2, connectTimeout: '300ms' } })
    const unlock = await lockSchedules()
    const [first, second] = [listSchedules(), listSchedules()]
    await expect(Promise.race([first, second])).rejects.toMatchObject({
      code: 'SYMPHONY_CONNECTION_FAILED',
      message: expect.stringContaining('other queries use all connections'),
    })
    expect(await dispatch({ type: 'Any', payload: {} })).toMatchObject({ status: 'queued' })
    await unlock()
    const answers = await Promise.allSettled([first, second])
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe.skipIf(isPooled())('connections', () => {
  test('a drain that is over before the first heartbeat opens none for it', async () => {
    setConfig({ database: { url }, worker: { lease: '60s' } })
    const registry = new HandlerRegistry()
    const seen: number[] = []
    registry.register('Any', async () => void seen.push(await connections()))
    for (let n = 0; n < 5; n++) await dispatch({ type: 'Any', payload: { n } })
    expect(await consumeBatch({ registry, maxConcurrency: 1 })).toMatchObject({ succeeded: 5 })
    // It claims on one while it settles on another.
    expect(Math.max(...seen, await connections())).toBeLessThanOrEqual(2)
  })

  test('a worker has one beside its pool, for heartbeats', async () => {
    setConfig({ database: { url, poolSize: 1 }, worker: { lease: '1s' } })
    const registry = new HandlerRegistry()
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    registry.register('Any', () => finished)
    await dispatch({ type: 'Any', payload: {} })
    const worker = new Worker({ registry, handleSignals: false, pollInterval: 50, listen: false })
    const ended = worker.run()
    await expect.poll(connections, { timeout: 10_000 }).toBe(2)
    const beats = async () => {
      const [row] = await database.query('SELECT last_beat_at FROM symphony.messenger_workers')
      return row?.last_beat_at.getTime()
    }
    const before = await beats()
    await expect.poll(beats, { timeout: 10_000 }).toBeGreaterThan(before)
    expect(await connections()).toBe(2)
    finish()
    await worker.stop()
    expect(await ended).toMatchObject({ succeeded: 1 })
  })
})
