import { consumeBatch, createSymphony, dispatchBatch, HandlerError, HandlerRegistry } from '@leadmap/symphony'
import {
  type AuditEntry,
  abortOperation,
  getAuditEntry,
  listAudit,
  listFailed,
  listMessages,
  previewOperation,
  removeFailed,
  retryFailed,
  runOperation,
  startOperation,
  stepOperation,
} from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres' }, slow: { type: 'postgres' } } })

beforeEach(() => emptyTables(database, 'messenger_audit'))

const NOBODY = '01890000-0000-7000-8000-000000000000'

const failing = new HandlerRegistry()
failing.register('*', ({ payload }) => {
  throw new HandlerError(`cannot ${payload.n}`, false)
})

const letters = async (): Promise<number> =>
  database.query('SELECT FROM symphony.messenger_failed_messages').then((rows) => rows.length)

async function bury(count: number, type = 'Mail'): Promise<void> {
  await dispatchBatch(Array.from({ length: count }, (_, n) => ({ type, payload: { n, secret: 'hunter2' } })))
  await consumeBatch({ registry: failing })
}

describe('an operation', () => {
  test('is looked at, begun, and done in steps, from any process', async () => {
    await bury(30)
    await bury(3, 'Other')
    const options = { action: 'retry', filter: { query: 'type:Mail error:cannot' } } as const
    const { matched, capped, samples, before } = await previewOperation(options)
    expect({ matched, capped, samples: samples.length }).toEqual({ matched: 30, capped: false, samples: 5 })
    expect(samples[0]).toMatchObject({ type: 'Mail', transport: 'supabase', queue: 'default', priority: 5 })
    expect(JSON.stringify(samples)).not.toContain('hunter2')
    expect(await letters()).toBe(33)

    const begun = await startOperation({ ...options, before, matched, actor: 'ada', reason: 'provider is back' })
    expect(begun).toMatchObject({
      action: 'retry',
      actor: 'ada',
      reason: 'provider is back',
      matched: 30,
      done: 0,
      ended: null,
    })
    expect(await stepOperation(begun.id, { limit: 12 })).toMatchObject({ done: 12, ended: null })

    await using elsewhere = createSymphony({
      config: {
        database: { url: database.url },
        transports: { email: { type: 'postgres' }, slow: { type: 'postgres' } },
      },
    })
    expect(await elsewhere.stepOperation(begun.id, { limit: 12 })).toMatchObject({ done: 24, ended: null })
    let last: AuditEntry | null = await getAuditEntry(begun.id)
    while (last?.ended === null) last = await stepOperation(begun.id)
    expect(last).toMatchObject({ done: 30, skipped: 0, failed: 0, ended: 'completed', endedAt: expect.any(Date) })
    expect(await letters()).toBe(3)
    expect((await listMessages({ status: 'pending' })).messages.length).toBe(30)
    expect(JSON.stringify(await listAudit())).not.toContain('hunter2')
  })

  test('never takes what failed again meanwhile', async () => {
    await bury(5)
    const { id } = await startOperation({ action: 'retry', filter: {} })
    await stepOperation(id, { limit: 2 })
    await consumeBatch({ registry: failing })
    let entry = await stepOperation(id)
    while (entry?.ended === null) entry = await stepOperation(id)
    expect(entry).toMatchObject({ done: 5 })
    expect(await letters()).toBe(2)
  })

  test('goes on where it was stopped, and tells of its progress', async () => {
    await bury(25)
    const controller = new AbortController()
    const seen: number[] = []
    const stopped = await runOperation(
      { action: 'retry', filter: {} },
      {
        rate: 40,
        signal: controller.signal,
        onProgress: ({ done }) => {
          seen.push(done)
          if (done >= 20) controller.abort()
        },
      },
    )
    expect(seen).toEqual([20])
    expect(stopped).toMatchObject({ done: 20, ended: null })
    expect(await letters()).toBe(5)
    expect(await runOperation(stopped.id)).toMatchObject({ done: 25, ended: 'completed' })
    expect(await letters()).toBe(0)
  })

  test('keeps to its rate', async () => {
    await bury(30)
    const began = performance.now()
    expect(await runOperation({ action: 'remove', filter: {} }, { rate: 20 })).toMatchObject({ done: 30 })
    expect(performance.now() - began).toBeGreaterThan(900)
  })

  test('does nothing more once it is aborted', async () => {
    await bury(5)
    const { id } = await startOperation({ action: 'remove', filter: {} })
    await stepOperation(id, { limit: 2 })
    expect(await abortOperation(id)).toMatchObject({ done: 2, ended: 'aborted' })
    expect(await stepOperation(id)).toMatchObject({ done: 2, ended: 'aborted' })
    expect(await letters()).toBe(3)
  })

  test('begins once under an id of your own', async () => {
    await bury(3)
    const id = crypto.randomUUID()
    for (let time = 0; time < 3; time += 1) await startOperation({ id, action: 'retry', filter: {} })
    expect(await runOperation(id)).toMatchObject({ id, done: 3 })
    expect((await listAudit()).entries).toHaveLength(1)
  })

  test('cancels, snoozes and moves what waits', async () => {
    const sent = await dispatchBatch(['A', 'B', 'C', 'D'].map((type) => ({ type, payload: {} })))
    const ids = sent.map((it) => (it.success ? it.messageId : ''))
    const run = (options: Parameters<typeof runOperation>[0]) => runOperation(options).then(({ done }) => done)
    expect(await run({ action: 'snooze', delay: '1h', filter: { query: 'type:A,B' } })).toBe(2)
    expect(await run({ action: 'move', transport: 'slow', queue: 'night', priority: 1, filter: { type: 'C' } })).toBe(1)
    expect(await run({ action: 'cancel', ids: ids.slice(3) })).toBe(1)
    expect(await run({ action: 'snooze', delay: 0, ids: [ids[1] ?? ''] })).toBe(1)
    const found = Object.fromEntries((await listMessages()).messages.map((it) => [it.type, it]))
    expect(found.A?.availableAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000)
    expect(found.B?.availableAt.getTime()).toBeLessThan(Date.now() + 60_000)
    expect(found.C).toMatchObject({ transport: 'slow', queue: 'night', priority: 1, status: 'pending' })
    expect(found.D).toMatchObject({ status: 'cancelled' })
  })

  test('is unknown under any other id', async () => {
    for (const id of [NOBODY, 'no id']) {
      expect(await getAuditEntry(id)).toBeNull()
      expect(await stepOperation(id)).toBeNull()
      expect(await abortOperation(id)).toBeNull()
    }
    await expect(runOperation(NOBODY)).rejects.toThrow(/no operation/)
  })

  test.each([
    [{ filter: {} }, /action/],
    [{ action: 'retry' }, /a filter or ids/],
    [{ action: 'erase', filter: {} }, /options\.action/],
    [{ action: 'retry', filter: { queue: undefined } }, /leave it out/],
    [{ action: 'retry', filter: { status: 'pending' } }, /status/],
    [{ action: 'cancel', filter: { errorClass: 'A' } }, /errorClass/],
    [{ action: 'snooze', filter: {} }, /delay/],
    [{ action: 'cancel', delay: 5, filter: {} }, /means nothing/],
    [{ action: 'move', filter: {} }, /a transport, a queue or a priority/],
    [{ action: 'move', queue: ' a', filter: {} }, /options\.queue/],
    [{ action: 'move', transport: 'nowhere', filter: {} }, /nowhere/],
    [{ action: 'cancel', ids: ['x'] }, /ids\[0\]/],
    [{ action: 'retry', filter: { query: 'typ:A' } }, /type/],
    [{ action: 'retry', filter: { query: ' ' } }, /a term/],
    [{ action: 'cancel', filter: {}, ids: [NOBODY] }, /one of the two/],
  ])('refuses %j', async (options, message) => {
    await expect(startOperation(options as never)).rejects.toThrow(message)
    await expect(previewOperation(options as never)).rejects.toThrow(message)
    expect((await listAudit()).entries).toEqual([])
  })
})

describe('the audit', () => {
  test('has what retryFailed() and removeFailed() did, and who', async () => {
    await bury(3)
    const [letter] = (await listFailed()).messages
    await retryFailed(letter?.id ?? '', { actor: 'ada', reason: 'one' })
    await removeFailed({}, { actor: 'bob' })
    expect((await listAudit()).entries).toMatchObject([
      { action: 'remove', actor: 'bob', done: 2, ended: 'completed' },
      { action: 'retry', actor: 'ada', reason: 'one', done: 1, ended: 'completed' },
    ])
    expect((await listAudit({ actor: 'ada' })).entries).toHaveLength(1)
    const { entries, nextCursor } = await listAudit({ limit: 1 })
    expect(entries).toMatchObject([{ action: 'remove' }])
    expect((await listAudit({ limit: 1, cursor: nextCursor ?? '' })).entries).toMatchObject([{ action: 'retry' }])
    await expect(listAudit({ cursor: 'no' })).rejects.toMatchObject({ name: 'SerializationError' })
  })
})

test('25,000 dead letters go back within seconds', async () => {
  await database.query(
    `INSERT INTO symphony.messenger_failed_messages
       (id, message_id, created_at, retry_count, priority, transport_name, queue_name, message_type, body, error)
     SELECT gen_random_uuid(), gen_random_uuid(), now(), 3, 5, 'supabase', 'default', 'Mail', '{"n":1}', 'refused'
     FROM generate_series(1, 25000)`,
  )
  const began = performance.now()
  const { done } = await runOperation({ action: 'retry', filter: { query: 'error:refused' } })
  const seconds = (performance.now() - began) / 1_000
  expect(done).toBe(25_000)
  expect(await letters()).toBe(0)
  console.log(`${Math.round(done / seconds)} dead letters per second`)
  expect(seconds).toBeLessThan(60)
})
