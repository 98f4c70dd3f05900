import {
  consumeBatch,
  dispatch,
  dispatchBatch,
  getRegistry,
  registerHandler,
  resetConfig,
  setConfig,
} from '@leadmap/symphony'
import { getDuplicateAttempts, getMetrics, listFailed, retryFailed } from '@leadmap/symphony/admin'
import {
  advance,
  assertDispatched,
  createTestKit,
  dispatched,
  drain,
  reset,
  setNow,
  useMemoryTransport,
} from '@leadmap/symphony/testing'
import { dispatchEmailMessage } from '@leadmap/symphony/utils'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let restore: () => void

beforeEach(() => {
  resetConfig()
  setConfig({
    transports: { email: { type: 'supabase', queue: 'email' } },
    routing: { EmailMessage: 'email' },
    retry: { default: { delay: '1m', maxDelay: 0, jitter: 0, maxRetries: 2 } },
  })
  restore = useMemoryTransport()
  getRegistry().clear()
})
afterEach(() => {
  reset()
  restore()
})

const email = {
  emailId: 'email-1',
  userId: 'user-1',
  mailboxId: 'mailbox-1',
  toEmail: 'user@example.com',
  subject: 'Hello',
  html: '<p>Hello</p>',
}

describe('the test kit', () => {
  test('keeps messages in memory, without any database', async () => {
    await dispatchEmailMessage(email)
    await dispatch({ type: 'Other', payload: { n: 1 } }, { transport: 'supabase', metadata: { tenant: 't' } })
    expect(dispatched()).toMatchObject([
      { type: 'EmailMessage', status: 'pending', priority: 7, idempotencyKey: 'email:email-1', retryCount: 0 },
      { type: 'Other', status: 'pending', payload: { n: 1 }, metadata: { tenant: 't' }, availableAt: expect.any(Date) },
    ])
  })

  test('asserts what was dispatched, and says what was instead', async () => {
    expect(() => assertDispatched('EmailMessage')).toThrow('expected a EmailMessage. Nothing was dispatched.')
    await dispatchEmailMessage(email)
    await dispatchBatch([
      { type: 'Other', payload: { user: { id: 1, name: 'a' } } },
      { type: 'Other', payload: {} },
    ])
    expect(assertDispatched('EmailMessage', { toEmail: 'user@example.com' })).toHaveLength(1)
    expect(assertDispatched('Other', { user: { id: 1 } })).toHaveLength(1)
    expect(assertDispatched('Other', 2)).toHaveLength(2)
    expect(assertDispatched('Other', ({ payload }) => !('user' in payload))).toHaveLength(1)
    expect(() => assertDispatched('Other', 3)).toThrow(/expected 3 messages of type Other, and there are 2/)
    expect(() => assertDispatched('EmailMessage', { toEmail: 'else' })).toThrow(
      /that matches.*\n {2}EmailMessage \{.*user@example\.com/,
    )
    expect(() => assertDispatched('Missing')).toThrow(/Dispatched were:\n {2}EmailMessage/)
  })

  test('handles what is due, and retries when the clock says so', async () => {
    const attempts: number[] = []
    registerHandler('Flaky', (_message, { attempt }) => {
      attempts.push(attempt)
      if (attempt < 3) throw new Error('not yet')
    })
    await dispatch({ type: 'Flaky', payload: {} })
    setNow(new Date('2030-01-01T00:00:00Z'))
    expect(await drain()).toMatchObject({ retried: 1, drained: true })
    advance('59s')
    expect(await drain()).toMatchObject({ claimed: 0 })
    advance('1s')
    expect(await drain()).toMatchObject({ retried: 1 })
    advance('2m')
    expect(await drain()).toMatchObject({ succeeded: 1 })
    expect(attempts).toEqual([1, 2, 3])
    expect(dispatched('Flaky')).toMatchObject([{ status: 'completed', retryCount: 2 }])
  })

  test('waits for scheduled and delayed messages by its own clock', async () => {
    registerHandler('Later', () => undefined)
    setNow(new Date('2030-01-01T00:00:00Z'))
    await dispatch({ type: 'Later', payload: {} }, { scheduledAt: new Date('2030-01-01T01:00:00Z') })
    await dispatch({ type: 'Later', payload: {} }, { delay: '2h' })
    expect(await drain()).toMatchObject({ claimed: 0, drained: true })
    setNow(new Date('2030-01-01T01:00:00Z'))
    expect(await drain()).toMatchObject({ succeeded: 1 })
    advance('1h')
    expect(await drain()).toMatchObject({ succeeded: 1 })
  })

  test('keeps priorities, duplicates and dead letters as Postgres does', async () => {
    const order: number[] = []
    registerHandler('Any', ({ payload }) => void order.push(payload.n))
    registerHandler('Bad', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
    await dispatchBatch([1, 9, 5].map((n) => ({ message: { type: 'Any', payload: { n } }, options: { priority: n } })))
    const key = { idempotencyKey: 'key' }
    expect((await dispatch({ type: 'Bad', payload: {} }, key)).status).toBe('queued')
    expect((await dispatch({ type: 'Bad', payload: {} }, key)).status).toBe('duplicate')
    expect(await getDuplicateAttempts('key')).toBe(1)
    expect((await getMetrics({ transport: 'memory' })).queue).toMatchObject({ pending: 4, queues: [{ pending: 4 }] })
    expect(await consumeBatch({ maxConcurrency: 1 })).toMatchObject({ succeeded: 3, deadLettered: 1 })
    expect(order).toEqual([9, 5, 1])
    const [letter] = (await listFailed()).messages
    expect(letter).toMatchObject({ type: 'Bad', transport: 'memory', error: 'no' })
    await retryFailed(letter?.id ?? '')
    expect((await listFailed()).messages).toEqual([])
    expect(await drain()).toMatchObject({ deadLettered: 1 })
  })

  test('forgets everything at reset(), and puts the configuration back', async () => {
    await dispatch({ type: 'Any', payload: {} })
    reset()
    expect(dispatched()).toEqual([])
    restore()
    await expect(dispatch({ type: 'Any', payload: {} })).rejects.toMatchObject({
      code: 'SYMPHONY_DATABASE_URL_MISSING',
    })
    restore = useMemoryTransport()
  })

  test('leaves the transport sync what it is', async () => {
    let handled = 0
    registerHandler('Now', () => void handled++)
    await dispatch({ type: 'Now', payload: {} }, { transport: 'sync' })
    expect(handled).toBe(1)
    expect(dispatched()).toEqual([])
  })

  test('refuses an invalid clock', () => {
    expect(() => setNow(new Date('x'))).toThrow(/setNow: wants a valid Date/)
    expect(() => advance('soon')).toThrow(/advance: got soon/)
  })
})

test('a test kit is made of an instance', () => {
  for (const given of [{}, undefined, null]) {
    expect(() => createTestKit(given as never)).toThrow(/^createTestKit: got .*, wants what createSymphony\(\) gives/)
  }
})
