import { dispatch, dispatchBatch, MessageValidationError } from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue({ transports: { other: { type: 'postgres' }, memory: { type: 'memory' } } })

beforeEach(() => emptyTables(database))

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'Numbered', payload: { n } }))

/** How many statements stored the messages there are: rows of one statement share their xmin. */
async function countInserts(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(DISTINCT xmin::text)::int AS n FROM symphony.messenger_messages_pending',
  )
  return row?.n ?? 0
}

describe('dispatchBatch()', () => {
  test('stores thousands by one INSERT, in their order', async () => {
    const results = await dispatchBatch(numbered(3000), { priority: 8, queue: 'batch' })
    expect(results).toHaveLength(3000)
    expect(results.every((result) => result.success && result.priority === 8 && result.queue === 'batch')).toBe(true)
    const rows = await storedMessages(database)
    expect(rows.map((row) => row.body.n)).toEqual(numbered(3000).map((message) => message.payload.n))
    expect(rows.map((row) => row.id)).toEqual(results.map((result) => result.success && result.messageId))
    expect(await countInserts()).toBe(1)
  })

  test('answers in order, and an invalid message stops no other', async () => {
    const results = await dispatchBatch([
      { type: 'Good', payload: { n: 0 } },
      { type: '', payload: {} },
      { message: { type: 'Good', payload: { n: 2 } }, options: { priority: 11 } },
      { type: 'Good', payload: [] },
      { message: { type: 'Good', payload: { n: 4 } }, options: { priority: 2, transport: 'other' } },
      { type: 'Good', payload: { big: 1n } },
      { message: { type: 'Good', payload: {} }, options: { transport: 'nowhere' } },
    ])
    expect(results).toMatchObject([
      { success: true, status: 'queued', priority: 5, transport: 'supabase' },
      { success: false, error: { code: 'SYMPHONY_INVALID_TYPE' } },
      { success: false, error: { code: 'SYMPHONY_INVALID_PRIORITY' } },
      { success: false, error: { code: 'SYMPHONY_INVALID_PAYLOAD' } },
      { success: true, status: 'queued', priority: 2, transport: 'other' },
      { success: false, error: { code: 'SYMPHONY_INVALID_PAYLOAD' } },
      { success: false, error: { code: 'SYMPHONY_UNKNOWN_TRANSPORT' } },
    ])
    expect(results[1]?.success === false && results[1].error).toBeInstanceOf(MessageValidationError)
    expect((await storedMessages(database)).map((row) => row.body.n)).toEqual([0, 4])
  })

  test('lays the options of a message over those of the batch', async () => {
    const own = { queue: 'own', headers: { b: 'own', c: '3' }, metadata: { y: 'own' } }
    await dispatchBatch(
      [
        { message: { type: 'A', payload: {} }, options: own },
        { type: 'B', payload: {} },
      ],
      {
        queue: 'common',
        priority: 3,
        headers: { a: '1', b: '2' },
        metadata: { x: 1, y: 2 },
      },
    )
    expect(await storedMessages(database)).toMatchObject([
      { queue_name: 'own', priority: 3, headers: { a: '1', b: 'own', c: '3' }, metadata: { x: 1, y: 'own' } },
      { queue_name: 'common', priority: 3, headers: { a: '1', b: '2' }, metadata: { x: 1, y: 2 } },
    ])
  })

  test('refuses one key for all', async () => {
    const options = { idempotencyKey: 'one' } as object
    await expect(dispatchBatch(numbered(2), options)).rejects.toMatchObject({
      code: 'SYMPHONY_INVALID_IDEMPOTENCY_KEY',
      message: expect.stringContaining('belongs to one message'),
    })
    expect(await storedMessages(database)).toEqual([])
  })

  test('of nothing is nothing', async () => {
    expect(await dispatchBatch([])).toEqual([])
    expect(await dispatchBatch([], { atomic: true })).toEqual([])
  })
})

describe('dispatchBatch() with atomic', () => {
  test('stores all of them', async () => {
    const results = await dispatchBatch(numbered(50), { atomic: true })
    expect(results.every(({ success }) => success)).toBe(true)
    expect(await storedMessages(database)).toHaveLength(50)
    expect(await countInserts()).toBe(1)
  })

  test.each([
    ['an invalid message', { type: '', payload: {} }, 'SYMPHONY_INVALID_TYPE'],
    ['a payload that JSON cannot carry', { type: 'A', payload: { big: 1n } }, 'SYMPHONY_INVALID_PAYLOAD'],
    ['an option the core refuses', { message: numbered(1)[0], options: { priority: 0 } }, 'SYMPHONY_INVALID_PRIORITY'],
    ['an unknown transport', { message: numbered(1)[0], options: { transport: 'x' } }, 'SYMPHONY_UNKNOWN_TRANSPORT'],
    ['another store', { message: numbered(1)[0], options: { transport: 'memory' } }, 'SYMPHONY_TRANSPORT_NOT_CAPABLE'],
  ])('stores none of them with %s among them', async (_what, bad, code) => {
    const messages = [...numbered(20), bad as { type: string; payload: object }]
    await expect(dispatchBatch(messages, { atomic: true })).rejects.toMatchObject({ code })
    expect(await storedMessages(database)).toEqual([])
  })

  test('stores none of them when the database refuses one', async () => {
    await database.query(`ALTER TABLE symphony.messenger_messages_pending
      ADD CONSTRAINT picky CHECK (body ->> 'n' IS DISTINCT FROM '7')`)
    try {
      await expect(dispatchBatch(numbered(20), { atomic: true })).rejects.toMatchObject({
        code: 'SYMPHONY_QUERY_FAILED',
        message: expect.stringContaining('picky'),
      })
      expect(await storedMessages(database)).toEqual([])
    } finally {
      await database.query('ALTER TABLE symphony.messenger_messages_pending DROP CONSTRAINT picky')
    }
  })
})

describe('dispatch() calls of the same moment', () => {
  test('share a few INSERTs and keep their order', async () => {
    const results = await Promise.all(numbered(500).map((message) => dispatch(message)))
    const rows = await storedMessages(database)
    expect(rows.map((row) => row.id)).toEqual(results.map((result) => result.messageId))
    expect(await countInserts()).toBe(1)
  })

  test('share an INSERT with those that come while one is on its way', async () => {
    const waves = Array.from({ length: 20 }, async (_, wave) => {
      for (let turn = 0; turn < wave; turn += 1) await new Promise(setImmediate)
      return Promise.all(numbered(25).map((message) => dispatch(message)))
    })
    const results = (await Promise.all(waves)).flat()
    expect(new Set(results.map((result) => result.messageId)).size).toBe(500)
    expect(await storedMessages(database)).toHaveLength(500)
    expect(await countInserts()).toBeLessThan(20)
  })

  test('fail one by one where one of them is invalid', async () => {
    const calls = [...numbered(3), { type: 'Numbered', payload: [] }, ...numbered(3)].map((message) =>
      dispatch(message),
    )
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array(3).fill('fulfilled'),
      'rejected',
      ...Array(3).fill('fulfilled'),
    ])
    expect(await storedMessages(database)).toHaveLength(6)
  })

  test('fail one by one where the database refuses one of them', async () => {
    await database.query(`ALTER TABLE symphony.messenger_messages_pending
      ADD CONSTRAINT picky CHECK (body ->> 'n' IS DISTINCT FROM '7')`)
    try {
      const settled = await Promise.allSettled(numbered(10).map((message) => dispatch(message)))
      expect(settled.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([7])
      expect(await storedMessages(database)).toHaveLength(9)
    } finally {
      await database.query('ALTER TABLE symphony.messenger_messages_pending DROP CONSTRAINT picky')
    }
  })
})
