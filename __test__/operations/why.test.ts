import { consumeBatch, dispatch, HandlerError, HandlerRegistry } from '@leadmap/symphony'
import { cancelMessage, pause, resume, why } from '@leadmap/symphony/admin'
import pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres' }, local: { type: 'memory' } } })

beforeEach(() =>
  emptyTables(database, 'messenger_controls', 'messenger_audit', 'messenger_workers', 'messenger_circuits'),
)

const registry = new HandlerRegistry()
registry.register('A', () => undefined)

const send = async (type = 'A', options = {}): Promise<string> =>
  (await dispatch({ type, payload: {} }, { transport: 'email', ...options })).messageId

const reasons = async (id: string): Promise<string[]> =>
  (await why(id, { registry }))?.reasons.map(({ reason }) => reason) ?? []

/** A worker that lives, as its row says. */
const worker = (lease = '1 hour'): Promise<unknown> =>
  database.query(
    `INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
     VALUES ('01890000-0000-7000-8000-00000000000a', 'web-1', 41, '{email}', now() + '${lease}'::interval)`,
  )

describe('why()', () => {
  test('names all that stands in the way, the first of it first', async () => {
    const id = await send('B', { delay: '1h' })
    await pause({ queue: 'default', actor: 'ada' })
    await database.query(
      `INSERT INTO symphony.messenger_circuits (message_type, state, runs, failures, opened_at, probe_at, reason)
       VALUES ('B', 'open', 50, 41, now(), now() + interval '1 minute', 'ETIMEDOUT')`,
    )
    expect(await reasons(id)).toEqual(['paused', 'circuitOpen', 'scheduled', 'noWorker', 'noHandler'])
    const answer = await why(id)
    expect(answer).toMatchObject({ status: 'pending', transport: 'email', queue: 'default', type: 'B' })
    expect(answer?.reasons[0]).toEqual({
      reason: 'paused',
      message: expect.stringMatching(/^queue default is paused since .* by ada$/),
      remedy: expect.stringContaining('resume()'),
    })
    expect(answer?.reasons[1]?.message).toMatch(/41 of 50 runs failed \(ETIMEDOUT\); next try/)
    expect(answer?.reasons.map(({ reason }) => reason)).not.toContain('noHandler')
    await resume({ queue: 'default' })
  })

  test('says that a message is next, or how many are before it', async () => {
    await worker()
    const first = await send()
    expect(await reasons(first)).toEqual(['next'])
    const third = await send()
    await send('A', { priority: 9 })
    await send('A', { priority: 1 })
    await send('A', { queue: 'other' })
    await send('A', { delay: '1h', priority: 10 })
    expect((await why(third))?.reasons).toMatchObject([
      { reason: 'behind', message: '2 are before it in email/default' },
    ])
    expect(await reasons(first)).toEqual(['behind'])
  })

  test('does not count workers that are dead, or take another transport', async () => {
    const id = await send()
    await worker('-1 second')
    expect(await reasons(id)).toEqual(['noWorker'])
  })

  test('says who has it', async () => {
    const id = await send()
    let during: Awaited<ReturnType<typeof why>> = null
    const asking = new HandlerRegistry()
    asking.register('A', async () => {
      during = await why(id)
    })
    await consumeBatch({ registry: asking })
    expect(during).toMatchObject({
      status: 'processing',
      reasons: [{ reason: 'claimed', message: expect.stringMatching(/^worker .* has it since .*, its lease ends /) }],
    })
    expect(await reasons(id)).toEqual(['finished'])
  })

  test('says that it is a dead letter, is cancelled, or waits to run again', async () => {
    const failing = new HandlerRegistry()
    failing.register('A', ({ payload }) => {
      throw new HandlerError('no', payload.again === true)
    })
    const dead = await send()
    const again = (await dispatch({ type: 'A', payload: { again: true } }, { transport: 'email' })).messageId
    await consumeBatch({ registry: failing })
    const cancelled = await send()
    await cancelMessage(cancelled)
    expect(await reasons(dead)).toEqual(['failed'])
    expect((await why(again))?.reasons[0]).toMatchObject({ reason: 'scheduled', message: /next run/ })
    expect((await why(cancelled))?.reasons).toMatchObject([{ reason: 'finished', message: 'it is cancelled' }])
  })

  test('answers for a transport in memory, and knows no other ids', async () => {
    const { messageId } = await dispatch({ type: 'A', payload: {} }, { transport: 'local' })
    expect(await reasons(messageId)).toEqual(['noWorker'])
    expect(await why('01890000-0000-7000-8000-000000000000')).toBeNull()
    expect(await why('no id')).toBeNull()
  })

  test('reads no more than it has to of 200,000 that wait', async () => {
    const id = await send()
    await database.query(
      `INSERT INTO symphony.messenger_messages_pending (id, transport_name, message_type, body, available_at, priority)
       SELECT gen_random_uuid(), 'email', 'A', '{}', now() + n * interval '1 ms' - interval '1 day', 1 + n % 10
       FROM generate_series(1, 200000) n`,
    )
    await database.query('ANALYZE symphony.messenger_messages_pending')
    const client = new pg.Client({ connectionString: database.directUrl })
    await client.connect()
    const read = async (): Promise<number> => {
      const { rows } = await client.query<{ n: string }>(
        `SELECT sum(seq_tup_read)::text AS n FROM pg_stat_user_tables
         WHERE schemaname = 'symphony' AND relname LIKE 'messenger_messages_%'`,
      )
      return Number(rows[0]?.n)
    }
    const before = await read()
    const began = performance.now()
    expect((await why(id))?.reasons.map(({ message }) => message)).toContainEqual(
      '10000 or more are before it in email/default',
    )
    const took = performance.now() - began
    expect(took).toBeLessThan(1_000)
    await client.query('SELECT pg_stat_force_next_flush()')
    // What a scan of the table would have read is more than all that waits.
    await expect.poll(async () => (await read()) - before).toBeLessThan(200_000)
    await client.end()
  })
})
