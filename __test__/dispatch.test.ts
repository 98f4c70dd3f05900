import { type DispatchOptions, dispatch, MessageValidationError } from '@leadmap/symphony'
import { getDuplicateAttempts } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue({
  transports: { email: { type: 'supabase', queue: 'email', priority: 7 } },
  retry: { EmailMessage: { maxRetries: 5 } },
})
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const email = { type: 'EmailMessage', payload: { to: 'user@example.com', subject: 'Hello' } }

beforeEach(() => emptyTables(database))

/** Dispatches and returns the answer together with the row that it made. */
async function dispatched(options?: DispatchOptions, message = email) {
  const result = await dispatch(message, options)
  const [row] = await database.query('SELECT *, now() AS now FROM symphony.messenger_messages WHERE id = $1', [
    result.messageId,
  ])
  return { result, row: row as Record<string, unknown> & { now: Date; available_at: Date } }
}

describe('dispatch()', () => {
  test('stores a message with the defaults and says where it went', async () => {
    const { result, row } = await dispatched()
    const stored = {
      messageId: expect.stringMatching(UUID_V7),
      status: 'queued',
      transport: 'supabase',
      queue: 'default',
      priority: 5,
      availableAt: expect.any(Date),
      idempotencyKey: expect.any(String),
    }
    expect(result).toEqual({ ...stored, messages: [stored] })
    expect(result.availableAt).toEqual(row.available_at)
    expect(row).toMatchObject({
      status: 'pending',
      message_type: 'EmailMessage',
      transport_name: 'supabase',
      queue_name: 'default',
      priority: 5,
      body: email.payload,
      metadata: {},
      retry_count: 0,
      max_retries: null,
      scheduled_at: null,
      idempotency_key: null,
    })
  })

  test('puts every option into the message', async () => {
    const scheduledAt = new Date('2099-12-25T00:00:00.000Z')
    const { result, row } = await dispatched({
      transport: 'email',
      queue: 'high-priority',
      priority: 9,
      scheduledAt,
      idempotencyKey: 'unique-key-123',
      metadata: { userId: 'user-123' },
      headers: { 'x-custom-header': 'value' },
      maxRetries: 0,
    })
    expect(result).toMatchObject({
      transport: 'email',
      queue: 'high-priority',
      priority: 9,
      scheduledAt,
      availableAt: scheduledAt,
      idempotencyKey: 'unique-key-123',
    })
    expect(row).toMatchObject({
      transport_name: 'email',
      queue_name: 'high-priority',
      priority: 9,
      scheduled_at: scheduledAt,
      available_at: scheduledAt,
      idempotency_key: 'unique-key-123',
      metadata: { userId: 'user-123' },
      headers: { 'x-custom-header': 'value' },
      max_retries: 0,
    })
  })

  test('takes queue and priority of the transport where the call names none', async () => {
    const { result } = await dispatched({ transport: 'email' })
    expect(result).toMatchObject({ transport: 'email', queue: 'email', priority: 7 })
  })

  test.each([
    ['a Date', new Date('2099-01-01T00:00:00.123Z')],
    ['ISO 8601 text', '2099-01-01T01:00:00.123+01:00'],
    ['milliseconds', Date.UTC(2099, 0, 1, 0, 0, 0, 123)],
  ])('takes scheduledAt as %s', async (_form, scheduledAt) => {
    const { result, row } = await dispatched({ scheduledAt })
    expect(result.scheduledAt).toEqual(new Date('2099-01-01T00:00:00.123Z'))
    expect(row.scheduled_at).toEqual(result.scheduledAt)
  })

  test('lets a message scheduled in the past be handled at once', async () => {
    const { row } = await dispatched({ scheduledAt: new Date('2024-12-25T00:00:00Z') })
    expect(row.available_at.getTime()).toBeLessThanOrEqual(row.now.getTime())
  })

  test.each([
    [90_000, 90_000],
    ['2h', 7_200_000],
    [0, 0],
  ])('delays by %s on the clock of the database', async (delay, milliseconds) => {
    const { row } = await dispatched({ delay })
    const [age] = await database.query<{ ms: number }>(
      `SELECT extract(epoch FROM available_at - created_at)::float8 * 1000 AS ms FROM symphony.messenger_messages`,
    )
    expect(age?.ms).toBe(milliseconds)
    expect(row.scheduled_at).toBeNull()
  })

  test('merges the metadata of options over that of the message', async () => {
    const message = { ...email, metadata: { tenant: 'a', trace: 'from the message' } }
    const { row } = await dispatched({ metadata: { trace: 'from the options', extra: 1 } }, message)
    expect(row.metadata).toEqual({ tenant: 'a', trace: 'from the options', extra: 1 })
  })

  test('stores dates in a payload as ISO text', async () => {
    const message = { type: 'Any', payload: { at: new Date(0), nested: [{ at: new Date(1) }] } }
    const result = await dispatch(message)
    const [row] = await storedMessages(database)
    expect(row?.id).toBe(result.messageId)
    expect(row?.body).toEqual({ at: '1970-01-01T00:00:00.000Z', nested: [{ at: '1970-01-01T00:00:00.001Z' }] })
  })

  test('copies the payload at the call: later changes do not travel', async () => {
    const payload = { list: ['at the call'] }
    const promise = dispatch({ type: 'Any', payload })
    payload.list.push('after it')
    await promise
    const [row] = await storedMessages(database)
    expect(row?.body).toEqual({ list: ['at the call'] })
  })

  test('a key that is not given is generated and refuses nothing', async () => {
    const first = await dispatch(email)
    const second = await dispatch(email)
    expect(second.idempotencyKey).not.toBe(first.idempotencyKey)
    expect([first.status, second.status]).toEqual(['queued', 'queued'])
    expect(await getDuplicateAttempts(first.idempotencyKey)).toBe(0)
  })

  test('refuses what it does not know', async () => {
    const misspelt = { priorty: 7 } as DispatchOptions
    await expect(dispatch(email, misspelt)).rejects.toThrow(/options\.priorty/)
    await expect(dispatch(email, misspelt)).rejects.toBeInstanceOf(MessageValidationError)
  })

  test('refuses a delay beside scheduledAt', async () => {
    await expect(dispatch(email, { delay: 1, scheduledAt: new Date() })).rejects.toMatchObject({
      code: 'SYMPHONY_INVALID_DELAY',
    })
  })
})
