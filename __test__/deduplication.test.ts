import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, setConfig } from '@leadmap/symphony'
import { cancelMessage, cleanup, doctor, getDuplicateAttempts } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { startProgram } from './support/programs.js'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue({
  transports: { email: { type: 'supabase' }, audit: { type: 'supabase' } },
  routing: { Both: ['email', 'audit'] },
})
const message = { type: 'Invoice', payload: { n: 1 } }

beforeEach(() => emptyTables(database))

/** Lets the window of every key pass. */
async function passWindow(): Promise<void> {
  await database.query("UPDATE symphony.messenger_deduplication SET expires_at = now() - interval '1 second'")
}

describe('an idempotency key', () => {
  test('makes one message of 100 dispatches at once by 4 processes, and counts 99', async () => {
    const environment = { SYMPHONY_DATABASE_URL: database.url, KEY: 'invoice-42', DISPATCHES: '25' }
    const programs = Array.from({ length: 4 }, () => startProgram('dispatch-one-key.mjs', environment))
    await Promise.all(programs.map(async (program) => expect(await program.next()).toBe('ready')))
    for (const program of programs) program.tell('go')
    const results: Array<{ messageId: string; status: string }> = (
      await Promise.all(programs.map((program) => program.next()))
    ).flat()

    const stored = await storedMessages(database)
    expect(stored).toHaveLength(1)
    expect(results).toHaveLength(100)
    expect(results.filter(({ status }) => status === 'queued')).toHaveLength(1)
    expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(99)
    expect(new Set(results.map(({ messageId }) => messageId))).toEqual(new Set([stored[0]?.id]))
    expect(await getDuplicateAttempts('invoice-42')).toBe(99)
    for (const program of programs) expect(await program.ended).toMatchObject({ code: 0 })
  })

  test('answers with the first message, whatever comes with it later', async () => {
    const first = await dispatch(message, { idempotencyKey: 'a', priority: 3 })
    const second = await dispatch({ ...message, payload: { n: 2 } }, { idempotencyKey: 'a', priority: 9 })
    expect(second).toMatchObject({ status: 'duplicate', messageId: first.messageId, idempotencyKey: 'a' })
    expect(await storedMessages(database)).toMatchObject([{ message_type: 'Invoice', priority: 3 }])
  })

  test('holds after its message was handled, until the window has passed', async () => {
    const first = await dispatch(message, { idempotencyKey: 'a' })
    await database.query('DELETE FROM symphony.messenger_messages')
    expect((await dispatch(message, { idempotencyKey: 'a' })).status).toBe('duplicate')
    await passWindow()
    expect(await getDuplicateAttempts('a')).toBe(0)
    const next = await dispatch(message, { idempotencyKey: 'a' })
    expect(next.status).toBe('queued')
    expect(next.messageId).not.toBe(first.messageId)
    expect(await storedMessages(database)).toHaveLength(1)
  })

  test('holds while its message runs, waits for a retry, and is a dead letter', async () => {
    const again = async () => (await dispatch(message, { idempotencyKey: 'a' })).status
    await dispatch(message, { idempotencyKey: 'a', maxRetries: 1 })
    const registry = new HandlerRegistry()
    registry.register('Invoice', async () => {
      expect(await again()).toBe('duplicate')
      throw new Error('not yet')
    })
    expect(await consumeBatch({ registry })).toMatchObject({ retried: 1 })
    expect(await again()).toBe('duplicate')
    await database.query('UPDATE symphony.messenger_messages SET available_at = now()')
    expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
    expect(await again()).toBe('duplicate')
    expect(await getDuplicateAttempts('a')).toBe(4)
  })

  test('is one for each type', async () => {
    const keyed = (type: string) => ({ type, payload: {}, idempotencyKey: 'a' })
    const [first, second] = [await dispatch(keyed('Invoice')), await dispatch(keyed('Reminder'))]
    expect([first.status, second.status]).toEqual(['queued', 'queued'])
    const results = await dispatchBatch(['Invoice', 'Reminder', 'Receipt', 'Receipt'].map(keyed))
    expect(results).toMatchObject([
      { status: 'duplicate', messageId: first.messageId },
      { status: 'duplicate', messageId: second.messageId },
      { status: 'queued' },
      { status: 'duplicate' },
    ])
    expect((await storedMessages(database)).map((row) => row.message_type)).toEqual(['Invoice', 'Reminder', 'Receipt'])
    expect(await getDuplicateAttempts('a')).toBe(3)
  })

  test('is free again when its message was cancelled', async () => {
    const first = await dispatch(message, { idempotencyKey: 'a', delay: '1h' })
    expect(await cancelMessage(first.messageId)).toEqual({ cancelled: true, status: 'cancelled' })
    const second = await dispatch(message, { idempotencyKey: 'a' })
    expect(second.status).toBe('queued')
    expect(await dispatch(message, { idempotencyKey: 'a' })).toMatchObject({
      status: 'duplicate',
      messageId: second.messageId,
    })
  })

  test('may be taken for ever', async () => {
    setConfig({ deduplication: { window: 'forever' } })
    await dispatch(message, { idempotencyKey: 'a' })
    await database.query(
      `UPDATE symphony.messenger_deduplication
       SET first_seen_at = first_seen_at - interval '99 years', expires_at = expires_at - interval '99 years'`,
    )
    expect((await cleanup()).deduplication).toBe(0)
    expect((await dispatch(message, { idempotencyKey: 'a' })).status).toBe('duplicate')
    expect((await doctor()).findings.find(({ check }) => check === 'retention')).toMatchObject({ severity: 'ok' })
  })

  test('is taken for as long as the configuration says', async () => {
    for (const [window, seconds] of [
      ['90s', 90],
      ['2d', 172_800],
    ] as const) {
      setConfig({ deduplication: { window } })
      await dispatch(message, { idempotencyKey: window })
      const [row] = await database.query<{ seconds: number }>(
        `SELECT extract(epoch FROM expires_at - first_seen_at)::float8 AS seconds
         FROM symphony.messenger_deduplication
         WHERE idempotency_key = $1 AND transport_name = E'supabase\\nInvoice'`,
        [window],
      )
      expect(row?.seconds).toBe(seconds)
    }
  })

  test('is forgotten by cleanup() when its window has passed', async () => {
    await dispatch(message, { idempotencyKey: 'a' })
    expect((await cleanup()).deduplication).toBe(0)
    await passWindow()
    expect((await cleanup()).deduplication).toBe(1)
  })

  test('holds in each transport by itself', async () => {
    await dispatch({ type: 'Both', payload: {} }, { idempotencyKey: 'a', transport: 'email' })
    const both = await dispatch({ type: 'Both', payload: {} }, { idempotencyKey: 'a' })
    expect(both.messages).toMatchObject([
      { transport: 'email', status: 'duplicate' },
      { transport: 'audit', status: 'queued' },
    ])
    const again = await dispatch({ type: 'Both', payload: {} }, { idempotencyKey: 'a' })
    expect(again.messages.map((entry) => 'status' in entry && entry.status)).toEqual(['duplicate', 'duplicate'])
    expect((await storedMessages(database)).map((row) => row.transport_name)).toEqual(['email', 'audit'])
    expect(await getDuplicateAttempts('a')).toBe(2)
  })

  test('holds across the messages of a batch, and between batches', async () => {
    const items = ['a', 'b', 'a', undefined, 'b', 'a'].map((idempotencyKey, n) => ({
      message: { type: 'Invoice', payload: { n } },
      options: { idempotencyKey },
    }))
    const statuses = async () => (await dispatchBatch(items)).map((result) => result.success && result.status)
    expect(await statuses()).toEqual(['queued', 'queued', 'duplicate', 'queued', 'duplicate', 'duplicate'])
    expect(await statuses()).toEqual(['duplicate', 'duplicate', 'duplicate', 'queued', 'duplicate', 'duplicate'])
    expect((await storedMessages(database)).map((row) => row.body.n)).toEqual([0, 1, 3, 3])
    expect([await getDuplicateAttempts('a'), await getDuplicateAttempts('b')]).toEqual([5, 3])
  })

  test('is not taken by a message that was refused', async () => {
    await expect(dispatch({ type: '', payload: {} }, { idempotencyKey: 'a' })).rejects.toThrow()
    await expect(
      dispatchBatch(
        [
          { message, options: { idempotencyKey: 'a' } },
          { type: '', payload: {} },
        ],
        { atomic: true },
      ),
    ).rejects.toThrow()
    expect((await dispatch(message, { idempotencyKey: 'a' })).status).toBe('queued')
  })

  test('deadlocks with nobody: batches of the same keys in opposite order', async () => {
    const keys = Array.from({ length: 200 }, (_, n) => `key-${n}`)
    const batch = (order: string[]) =>
      dispatchBatch(order.map((idempotencyKey) => ({ message, options: { idempotencyKey } })))
    const results = (await Promise.all([batch(keys), batch([...keys].reverse()), batch(keys)])).flat()
    expect(results.every(({ success }) => success)).toBe(true)
    expect(await storedMessages(database)).toHaveLength(200)
  })
})

test('a key that nobody has used has no duplicates', async () => {
  expect(await getDuplicateAttempts('never seen')).toBe(0)
})
