import { consumeBatch, dispatch, dispatchBatch, HandlerError, HandlerRegistry, setConfig } from '@leadmap/symphony'
import {
  cleanup,
  type FailedFilter,
  type FailedMessage,
  getFailed,
  listFailed,
  removeFailed,
  retryFailed,
} from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres', queue: 'mails' } } })
const NOBODY = '01890000-0000-7000-8000-000000000000'

beforeEach(() => emptyTables(database))

class QuotaExceeded extends Error {}

const failing = new HandlerRegistry()
failing.register('*', ({ payload }) => {
  const error = payload.quota ? new QuotaExceeded('over quota') : new Error(`cannot: ${payload.text ?? 'no'}`)
  throw new HandlerError(error.message, false, null, { cause: error })
})

/** Dispatches and fails messages, one drain each, so that their order in time is theirs. */
async function bury(
  ...messages: Array<[type: string, payload?: object, transport?: string]>
): Promise<FailedMessage[]> {
  for (const [type, payload = {}, transport] of messages) {
    await dispatch({ type, payload }, transport === undefined ? {} : { transport })
    await consumeBatch({ registry: failing })
  }
  return (await listFailed({ limit: 1000, full: true })).messages
}

describe('a dead letter', () => {
  test('is a full copy of its message', async () => {
    const { messageId } = await dispatch(
      { type: 'EmailMessage', payload: { to: 'user@example.com', text: 'full' }, metadata: { a: 1 } },
      { transport: 'email', priority: 9, headers: { trace: 'abc' }, idempotencyKey: 'key', metadata: { b: 2 } },
    )
    await consumeBatch({ registry: failing })
    const expected = {
      id: expect.any(String),
      messageId,
      type: 'EmailMessage',
      transport: 'email',
      queue: 'mails',
      priority: 9,
      payload: { to: 'user@example.com', text: 'full' },
      payloadText: '{"to": "user@example.com", "text": "full"}',
      headers: { trace: 'abc' },
      metadata: { a: 1, b: 2 },
      error: 'cannot: full',
      errorClass: 'HandlerError',
      errorStack: expect.stringContaining('dead-letters.test.ts'),
      errorHistory: [
        {
          at: expect.any(Date),
          class: 'HandlerError',
          message: 'cannot: full',
          stack: expect.any(String),
          ms: expect.any(Number),
          worker: expect.any(String),
        },
      ],
      failedAt: expect.any(Date),
      retryCount: 0,
      crashes: 0,
      createdAt: expect.any(Date),
      idempotencyKey: 'key',
    }
    const { messages, nextCursor } = await listFailed({ full: true })
    expect(messages).toEqual([expected])
    expect(nextCursor).toBeNull()
    expect(await getFailed(messages[0]?.id ?? '')).toEqual(expected)
    expect(await storedMessages(database)).toEqual([])
  })

  test('outlives every message', async () => {
    await bury(['A'])
    await database.query('DELETE FROM symphony.messenger_messages')
    expect((await listFailed()).messages).toHaveLength(1)
  })

  test('that does not exist is null', async () => {
    expect(await getFailed(NOBODY)).toBeNull()
    expect(await retryFailed(NOBODY)).toEqual([])
    expect(await removeFailed(NOBODY)).toBe(0)
  })

  test('is not found by an invalid id', async () => {
    expect(await getFailed('no id')).toBeNull()
    expect(await retryFailed('no id')).toEqual([])
    expect(await removeFailed('')).toBe(0)
  })
})

describe('listFailed()', () => {
  test('finds by every filter', async () => {
    const letters = await bury(
      ['EmailMessage', { text: 'Straße' }],
      ['SMSMessage', { text: 'short' }, 'email'],
      ['SMSMessage', { note: 'find ME in here' }],
    )
    const [newest, middle, oldest] = letters as [FailedMessage, FailedMessage, FailedMessage]
    await database.query(`UPDATE symphony.messenger_failed_messages SET error_class = 'QuotaExceeded' WHERE id = $1`, [
      middle.id,
    ])
    const found = async (filter: FailedFilter) => (await listFailed(filter)).messages.map(({ id }) => id)

    expect(await found({})).toEqual([newest.id, middle.id, oldest.id])
    expect(await found({ type: 'SMSMessage' })).toEqual([newest.id, middle.id])
    expect(await found({ transport: 'email' })).toEqual([middle.id])
    expect(await found({ queue: 'mails' })).toEqual([middle.id])
    expect(await found({ errorClass: 'QuotaExceeded' })).toEqual([middle.id])
    expect(await found({ text: 'STRASSE'.toLowerCase().replace('ss', 'ß') })).toEqual([oldest.id])
    expect(await found({ text: 'me in HERE' })).toEqual([newest.id])
    expect(await found({ text: "100%_' OR true --" })).toEqual([])
    expect(await found({ ids: [oldest.id, newest.id] })).toEqual([newest.id, oldest.id])
    expect(await found({ failedAfter: newest.failedAt })).toContain(newest.id)
    expect(await found({ failedBefore: oldest.failedAt.getTime() - 1 })).toEqual([])
    expect(await found({ type: 'SMSMessage', transport: 'supabase' })).toEqual([newest.id])
  })

  test('goes through all of them page by page, also while new ones come', async () => {
    const letters = await bury(...Array.from({ length: 7 }, (_, n): [string, object] => ['A', { n }]))
    const seen: unknown[] = []
    let cursor: string | undefined
    do {
      const page = await listFailed({ type: 'A', limit: 3, cursor, full: true })
      expect(page.messages.length).toBeLessThanOrEqual(3)
      seen.push(...page.messages.map(({ payload }) => payload.n))
      cursor = page.nextCursor ?? undefined
      await bury(['A', { n: 'later' }])
    } while (cursor !== undefined)
    expect(letters).toHaveLength(7)
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0])
  })

  test('pages letters that failed in the same moment without loss', async () => {
    for (let n = 0; n < 10; n += 1) await dispatch({ type: 'A', payload: { n } })
    await consumeBatch({ registry: failing })
    await database.query("UPDATE symphony.messenger_failed_messages SET failed_at = '2024-01-01'")
    const first = await listFailed({ limit: 6, full: true })
    const second = await listFailed({ limit: 6, full: true, cursor: first.nextCursor ?? '' })
    const seen = [...first.messages, ...second.messages].map(({ payload }) => payload.n as number)
    expect(seen.sort((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(second.nextCursor).toBeNull()
  })

  test.each<[object, RegExp]>([
    [{ failedAfter: new Date('x') }, /failedAfter/],
    [{ cursor: 'nonsense' }, /cursor/],
    [{ ids: ['nonsense'] }, /nonsense|UUID/i],
    [{ colour: 'red' }, /colour/],
  ])('refuses %o', async (filter, words) => {
    await expect(listFailed(filter)).rejects.toThrow(words)
  })
})

describe('retryFailed()', () => {
  test('makes a message of a letter, with its lineage', async () => {
    const [letter] = (await bury(['A', { text: 'x' }])) as [FailedMessage]
    const [retried] = await retryFailed(letter.id)
    expect(retried).toEqual({ failedMessageId: letter.id, messageId: expect.any(String), transport: 'supabase' })
    expect(retried?.messageId).not.toBe(letter.messageId)
    expect((await listFailed()).messages).toEqual([])
    expect(await storedMessages(database)).toMatchObject([
      {
        id: retried?.messageId,
        status: 'pending',
        retry_count: 0,
        body: { text: 'x' },
        headers: { 'redriven-from': letter.id, 'original-message-id': letter.messageId },
      },
    ])
  })

  test('brings it back when it fails again, and remembers the first message', async () => {
    const [first] = (await bury(['A'])) as [FailedMessage]
    await retryFailed(first.id)
    await consumeBatch({ registry: failing })
    const [second] = (await listFailed({ full: true })).messages
    expect(second).toMatchObject({
      type: 'A',
      headers: { 'redriven-from': first.id, 'original-message-id': first.messageId },
      errorHistory: [{ message: 'cannot: no' }, { message: 'cannot: no' }],
    })
    expect(second?.id).not.toBe(first.id)
    await retryFailed(second?.id ?? '')
    const [row] = await storedMessages(database)
    expect(row?.headers).toEqual({ 'redriven-from': second?.id, 'original-message-id': first.messageId })
  })

  test('succeeds when the cause is gone', async () => {
    await bury(['A', { n: 1 }], ['A', { n: 2 }])
    expect(await retryFailed({})).toHaveLength(2)
    const registry = new HandlerRegistry()
    registry.register('A', () => undefined)
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 2, drained: true })
  })

  test('takes all that match a filter, and leaves the rest', async () => {
    await bury(['A'], ['B'], ['A', {}, 'email'])
    const retried = await retryFailed({ type: 'A' })
    expect(retried.map(({ transport }) => transport).sort()).toEqual(['email', 'supabase'])
    expect((await listFailed()).messages.map(({ type }) => type)).toEqual(['B'])
  })

  test('asked twice at once makes one message', async () => {
    const [letter] = (await bury(['A'])) as [FailedMessage]
    const answers = await Promise.all(Array.from({ length: 5 }, () => retryFailed(letter.id)))
    expect(answers.flat()).toHaveLength(1)
    expect(await storedMessages(database)).toHaveLength(1)
  })

  test('is not stopped by the idempotency key of its message', async () => {
    await dispatch({ type: 'A', payload: {} }, { idempotencyKey: 'key' })
    await consumeBatch({ registry: failing })
    expect(await retryFailed({})).toHaveLength(1)
    expect(await storedMessages(database)).toMatchObject([{ idempotency_key: 'key' }])
  })
})

describe('removeFailed()', () => {
  test('deletes one, or all that match', async () => {
    const letters = await bury(['A'], ['A'], ['B'])
    expect(await removeFailed(letters[0]?.id ?? '')).toBe(1)
    expect(await removeFailed({ type: 'A' })).toBe(2)
    expect(await removeFailed({})).toBe(0)
  })

  test.each(['retryFailed', 'removeFailed'] as const)('and %s refuse a filter with a hole in it', async (name) => {
    await bury(['A'])
    const act = { retryFailed, removeFailed }[name] as (which: unknown) => Promise<unknown>
    await expect(act({ type: undefined })).rejects.toThrow(/`type` is undefined/)
    await expect(act(undefined)).rejects.toThrow(/wants the id of a dead letter, or a filter/)
    expect((await listFailed()).messages).toHaveLength(1)
  })
})

test('cleanup() deletes letters and finished messages past their retention, and only those', async () => {
  await bury(['A', { n: 1 }], ['A', { n: 2 }])
  const done = new HandlerRegistry()
  done.register('Done', () => undefined)
  for (const n of [1, 2]) await dispatch({ type: 'Done', payload: { n } })
  await consumeBatch({ registry: done })
  await database.query(
    `UPDATE symphony.messenger_failed_messages SET failed_at = now() - interval '31 days' WHERE body ->> 'n' = '1'`,
  )
  await database.query(
    `UPDATE symphony.messenger_messages SET processed_at = now() - interval '25 hours' WHERE body ->> 'n' = '1'`,
  )
  setConfig({ retention: { failed: 'forever', completed: 'forever' } })
  expect(await cleanup()).toEqual({
    completed: 0,
    failed: 0,
    deduplication: 0,
    schedules: 0,
    metrics: 0,
    executions: 0,
    audit: 0,
  })
  setConfig({ retention: { failed: '30d', completed: '24h' } })
  expect(await cleanup()).toEqual({
    completed: 1,
    failed: 1,
    deduplication: 0,
    schedules: 0,
    metrics: 0,
    executions: 0,
    audit: 0,
  })
  expect((await listFailed({ full: true })).messages.map(({ payload }) => payload.n)).toEqual([2])
  expect((await storedMessages(database)).map((row) => row.body.n)).toEqual([2])
})

test('finished messages are not kept at all where the retention is none', async () => {
  setConfig({ retention: { completed: 'none' } })
  const registry = new HandlerRegistry()
  registry.register('Done', () => undefined)
  await dispatch({ type: 'Done', payload: {} })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  expect(await storedMessages(database)).toEqual([])
  setConfig({ retention: { completed: '24h' } })
})

test('those from before the retention was none are deleted, too', async () => {
  const registry = new HandlerRegistry()
  registry.register('Done', () => undefined)
  await dispatch({ type: 'Done', payload: {} })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  setConfig({ retention: { completed: 'none' } })
  onTestFinished(() => setConfig({ retention: { completed: '24h' } }))
  expect(await cleanup()).toMatchObject({ completed: 1 })
  expect(await storedMessages(database)).toEqual([])
})

test('a consumer deletes by itself what retention no longer covers', async () => {
  const registry = new HandlerRegistry()
  registry.register('Done', () => undefined)
  await dispatch({ type: 'Done', payload: {} })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  await database.query("UPDATE symphony.messenger_messages SET processed_at = now() - interval '25 hours'")
  expect(await consumeBatch({ registry })).toMatchObject({ claimed: 0, drained: true })
  expect(await storedMessages(database)).toEqual([])
})

test('a drain deletes more than it has finished, and one that found nothing one batch', async () => {
  const registry = new HandlerRegistry()
  registry.register('Done', () => undefined)
  const count = async () => (await database.query('SELECT FROM symphony.messenger_messages_finished')).length
  await database.query(
    `INSERT INTO symphony.messenger_messages (id, transport_name, message_type, body, status, processed_at)
     SELECT gen_random_uuid(), 'supabase', 'Old', '{}', 'completed', now() - interval '25 hours'
     FROM generate_series(1, 7000)`,
  )
  await consumeBatch({ registry })
  expect(await count()).toBe(6000)
  await dispatchBatch(Array.from({ length: 3000 }, () => ({ type: 'Done', payload: {} })))
  await consumeBatch({ registry, batchSize: 1000 })
  // What it has finished and half as much again, in batches of 1,000.
  expect(await count()).toBe(1000 + 3000)
})
