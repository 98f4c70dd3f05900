import { consumeBatch, dispatchBatch, HandlerRegistry } from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { errorClassificationMiddleware } from '@leadmap/symphony/utils'
import { beforeEach, expect, test } from 'vitest'
import { numbers } from '../faults/support/scale.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database))

async function fill(count: number): Promise<void> {
  await dispatchBatch(numbers(count).map((n) => ({ type: 'Work', payload: { n } })))
}

async function held(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM symphony.messenger_messages_processing',
  )
  return row?.n ?? 0
}

test('an invalid outcome, as a middleware makes it, fails only its own message', async () => {
  await fill(10)
  const registry = new HandlerRegistry()
  // A classification as people write it: null without a response.
  registry.use(errorClassificationMiddleware((error) => (error as { response: null }).response as unknown as boolean))
  registry.register('Work', ({ payload }) => {
    if (payload.n === 3) throw Object.assign(new Error('no answer'), { response: null })
  })
  const result = await consumeBatch({ registry, messageLimit: 10 })
  expect(result).toMatchObject({ claimed: 10, succeeded: 9, retried: 1 })
  expect(await held()).toBe(0)
  const [row] = await database.query('SELECT last_error FROM symphony.messenger_messages_pending')
  expect(row?.last_error).toContain('retryable is null')
  expect(row?.last_error).toContain('no answer')
})

test('a message that was made due by hand, with an instant before all time, is delivered with its neighbours', async () => {
  await fill(10)
  await database.query(
    `UPDATE symphony.messenger_messages_pending SET available_at = '-infinity' WHERE body @> '{"n": 3}'`,
  )
  await database.query(
    `UPDATE symphony.messenger_messages_pending SET created_at = 'infinity' WHERE body @> '{"n": 4}'`,
  )
  await database.query(
    `UPDATE symphony.messenger_messages_pending SET scheduled_at = '294276-01-01' WHERE body @> '{"n": 5}'`,
  )
  const registry = new HandlerRegistry()
  registry.register('Work', () => undefined)
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 10, drained: true })
  expect(await held()).toBe(0)
})

test('a row that cannot be read is a dead letter that says why, and its neighbours are delivered', async () => {
  await fill(10)
  await database.query(
    `UPDATE symphony.messenger_messages_pending SET handled = '{{a,b},{c,d}}' WHERE body @> '{"n": 3}'`,
  )
  const registry = new HandlerRegistry()
  registry.register('Work', () => undefined)
  expect(await consumeBatch({ registry })).toMatchObject({ claimed: 10, succeeded: 9, deadLettered: 1, drained: true })
  expect(await held()).toBe(0)
  const { messages } = await listFailed({ full: true })
  expect(messages).toMatchObject([{ errorClass: 'UnreadableMessage', payload: { n: 3 } }])
  expect(messages[0]?.error).toContain('handled')
})
