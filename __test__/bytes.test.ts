/** What is in memory at once is bounded in bytes, not only in messages. */
import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry } from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { startProgram } from './support/programs.js'
import { createQueue, emptyTables } from './support/symphony.js'

const MB = 1_000_000
const database = await createQueue({ retention: { completed: 'none' } })
const large = { type: 'Large', payload: { text: 'x'.repeat(MB) } }

beforeEach(() => emptyTables(database))

test('600 dispatches of 1 MB at once succeed', { timeout: 180_000 }, async () => {
  const results = await Promise.allSettled(Array.from({ length: 600 }, () => dispatch(large)))
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
  expect(await database.query('SELECT count(*)::int AS n FROM symphony.messenger_messages')).toEqual([{ n: 600 }])
})

describe('numbers that are short in JSON and long in the database', () => {
  const environment = { SYMPHONY_DATABASE_URL: database.url }

  test('count as long as they become', { timeout: 120_000 }, async () => {
    const program = startProgram('large-numbers.mjs', { ...environment, NUMBERS: '145000' })
    const codes = await program.next()
    const { handled, memory } = await program.next()
    expect(memory).toBeLessThan(500 * MB)
    expect(codes).toEqual(Array(10).fill('SYMPHONY_PAYLOAD_TOO_LARGE'))
    expect(handled).toBe(0)
  })

  test('are taken up to the limit, and no text in the database is longer', async () => {
    const program = startProgram('large-numbers.mjs', { ...environment, NUMBERS: '3300' })
    expect(await program.next()).toEqual([])
    expect(await program.next()).toMatchObject({ handled: 10 })
    for (const number of [1.5e-300, -5e-324, 1.7976931348623157e308, 1e21, 1e-7]) {
      await dispatch({ type: 'Written', payload: { n: number } })
    }
    const written = await database.query<{ text: string }>(
      "SELECT body::text AS text FROM symphony.messenger_messages WHERE message_type = 'Written' ORDER BY id",
    )
    // Braces, name and blank around the digits.
    expect(written.map(({ text }) => text.length - '{"n": }'.length)).toEqual([303, 327, 309, 22, 9])
  })
})

describe('a claim', () => {
  test('holds some 64 MiB, and queues take turns all the same', { timeout: 120_000 }, async () => {
    const queues: string[] = []
    let held = 0
    for (const queue of ['a', 'b']) {
      const payload = { ...large.payload, queue }
      await dispatchBatch(Array(100).fill({ type: 'Large', payload }), { queue })
    }
    const registry = new HandlerRegistry()
    registry.register('Large', async ({ payload }) => {
      queues.push(String(payload.queue))
      if (queues.length > 1) return
      const [row] = await database.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM symphony.messenger_messages_processing',
      )
      held = row?.n ?? 0
    })
    const { succeeded } = await consumeBatch({ registry, batchSize: 1000, maxConcurrency: 1 })
    expect(held).toBeGreaterThanOrEqual(32)
    expect(held).toBeLessThanOrEqual(68)
    expect(new Set(queues.slice(0, 95)).size).toBe(2)
    expect(succeeded).toBe(200)
  })
})

test('an atomic batch, one statement, is refused beyond 64 MiB', async () => {
  await expect(dispatchBatch(Array(70).fill(large), { atomic: true })).rejects.toMatchObject({
    code: 'SYMPHONY_PAYLOAD_TOO_LARGE',
    message: expect.stringMatching(/^messages: are 7\d{7} characters.*at most 67108864.*without `atomic`/),
  })
  expect(await dispatchBatch(Array(20).fill(large), { atomic: true })).toHaveLength(20)
})
