import {
  consumeBatch,
  dispatch,
  HandlerError,
  HandlerRegistry,
  type MessageHandler,
  MessageValidationError,
  setLogger,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { getLogger } from '@leadmap/symphony/utils'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: '1h', maxDelay: 0, jitter: 0 } } })

beforeEach(() => emptyTables(database))

const withStatus = (status: number) => Object.assign(new Error(`HTTP ${status}`), { status })
const withCode = (code: string) => Object.assign(new Error(code), { code })

const RETRYABLE: Record<string, unknown> = {
  'an unknown error': new Error('who knows'),
  'no error at all': undefined,
  text: 'no',
  'a TypeError': new TypeError('x is undefined'),
  ...Object.fromEntries([408, 425, 429, 500, 502, 503, 504].map((status) => [`HTTP ${status}`, withStatus(status)])),
  'HTTP 503 in a response': Object.assign(new Error(), { response: { status: 503 } }),
  'HTTP 429 as statusCode': Object.assign(new Error(), { statusCode: '429' }),
  ...Object.fromEntries(
    ['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'UND_ERR_CONNECT_TIMEOUT'].map(
      (code) => [code, withCode(code)],
    ),
  ),
  'a network error as cause': new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }),
  'a HandlerError that says so': new HandlerError('later', true),
  'a HandlerError by default': new HandlerError('later'),
  'a HandlerError that says so about a 404': new HandlerError('later', true, null, { cause: withStatus(404) }),
}

const PERMANENT: Record<string, unknown> = {
  ...Object.fromEntries([400, 401, 403, 404, 409, 410, 422].map((status) => [`HTTP ${status}`, withStatus(status)])),
  'HTTP 404 in a response': Object.assign(new Error(), { response: { status: 404 } }),
  'HTTP 422 as cause': new Error('wrapped', { cause: withStatus(422) }),
  "Zod's error": z.object({ a: z.string() }).safeParse({}).error,
  "this package's validation error": new MessageValidationError('payload.a: is missing'),
  "another library's validation error": Object.assign(new Error('bad'), { name: 'ValidationError' }),
  'a HandlerError that says so': new HandlerError('never', false),
  'a HandlerError that says so about a 503': new HandlerError('never', false, null, { cause: withStatus(503) }),
}

/** Fails one message per named error, and tells which were not retried. */
async function deadLettersOf(errors: Record<string, unknown>): Promise<string[]> {
  const registry = new HandlerRegistry()
  registry.register('Named', ({ payload }) => {
    throw errors[payload.name]
  })
  for (const name of Object.keys(errors)) await dispatch({ type: 'Named', payload: { name } })
  const result = await consumeBatch({ registry })
  expect(result.retried + result.deadLettered).toBe(Object.keys(errors).length)
  return (await listFailed({ full: true })).messages.map(({ payload }) => payload.name as string)
}

/** Fails one message and tells how many minutes it waits. */
async function minutesAfter(error: unknown, handler: Partial<MessageHandler> = {}): Promise<number | undefined> {
  await emptyTables(database)
  const registry = new HandlerRegistry()
  registry.register('Any', { handle: () => Promise.reject(error), ...handler })
  await dispatch({ type: 'Any', payload: {} })
  await consumeBatch({ registry })
  const [row] = await database.query<{ minutes: number }>(
    `SELECT round(extract(epoch FROM available_at - now()) / 60)::int AS minutes
     FROM symphony.messenger_messages WHERE status = 'pending'`,
  )
  return row?.minutes
}

describe('an error', () => {
  test('that may pass is retried', async () => {
    expect(await deadLettersOf(RETRYABLE)).toEqual([])
  })

  test('that will stay is not retried', async () => {
    expect((await deadLettersOf(PERMANENT)).sort()).toEqual(Object.keys(PERMANENT).sort())
  })
})

describe("a handler's classifyError", () => {
  test('is asked before everything else', async () => {
    expect(await minutesAfter(withStatus(404), { classifyError: () => true })).toBe(60)
    expect(await minutesAfter(withStatus(503), { classifyError: () => false })).toBeUndefined()
    expect(await minutesAfter(new HandlerError('never', false), { classifyError: () => true })).toBe(60)
    expect(
      await minutesAfter(new Error('busy'), { classifyError: () => ({ retryable: true, retryAfter: 7_200_000 }) }),
    ).toBe(120)
  })

  test('may leave it to the usual rules, also by failing itself', async () => {
    setLogger({ ...getLogger(), error: () => undefined })
    expect(await minutesAfter(withStatus(404), { classifyError: () => undefined })).toBeUndefined()
    const broken = () => {
      throw new Error('broken')
    }
    expect(await minutesAfter(withStatus(503), { classifyError: broken })).toBe(60)
  })
})

describe('Retry-After', () => {
  test.each<[string, unknown, number]>([
    ['in seconds', Object.assign(withStatus(429), { headers: { 'Retry-After': '7200' } }), 120],
    ['in Headers', Object.assign(withStatus(503), { headers: new Headers({ 'retry-after': '10800' }) }), 180],
    [
      'in a response',
      Object.assign(new Error(), { response: { status: 429, headers: { 'retry-after': '7200' } } }),
      120,
    ],
    [
      'as a HTTP date',
      Object.assign(withStatus(429), { headers: { 'retry-after': new Date(Date.now() + 7_200_500).toUTCString() } }),
      120,
    ],
    ['in the details of a HandlerError', new HandlerError('later', true, { retryAfter: 7200 }), 120],
    ['as a property', Object.assign(new Error('later'), { retryAfter: 7200 }), 120],
  ])('%s puts the next run off', async (_form, error, minutes) => {
    expect(await minutesAfter(error)).toBe(minutes)
  })

  test('never shortens the wait of the strategy, and is not believed beyond a week', async () => {
    expect(await minutesAfter(Object.assign(withStatus(429), { retryAfter: 1 }))).toBe(60)
    expect(await minutesAfter(Object.assign(withStatus(429), { retryAfter: 1e9 }))).toBe(7 * 24 * 60)
    expect(await minutesAfter(Object.assign(withStatus(429), { retryAfter: 'tomorrow' }))).toBe(60)
  })

  test('does not make a permanent error retryable', async () => {
    expect(await minutesAfter(Object.assign(withStatus(422), { retryAfter: 1 }))).toBeUndefined()
  })
})
