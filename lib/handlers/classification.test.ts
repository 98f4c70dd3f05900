import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { HandlerError, HandlerTimeoutError, MessageValidationError } from '../index.js'
import { delivery } from '../testing/fakes/fake-core.js'
import { askHandler, classifyError } from './classification.js'
import { DeliveryContext } from './context.js'
import { parseRetryAfter } from './retry-after.js'

afterEach(() => {
  vi.restoreAllMocks()
})

const http = (status: number, more: object = {}): Error =>
  Object.assign(new Error(`HTTP ${status}`), { status, ...more })
const zodError = z.object({ a: z.string() }).safeParse({}).error
const cyclic = new Error('cyclic')
cyclic.cause = cyclic

describe('not retried', () => {
  test.each<[string, unknown]>([
    ['a HandlerError that says so', new HandlerError('no', false)],
    ['a validation error of ours', new MessageValidationError('bad')],
    ['a Zod error', zodError],
    ['a validation error by name', Object.assign(new Error('x'), { name: 'ValidationError' })],
    ['an error with issues', Object.assign(new Error('x'), { issues: [{ message: 'required' }] })],
    ...[400, 401, 403, 404, 409, 410, 422].map((status): [string, unknown] => [`HTTP ${status}`, http(status)]),
    ['a status in statusCode', Object.assign(new Error('x'), { statusCode: 404 })],
    ['a status in response', Object.assign(new Error('x'), { response: { status: 422 } })],
    ['a status of an AWS client', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 400 } })],
    ['a cause of that kind', new Error('outer', { cause: new Error('middle', { cause: http(403) }) })],
    ['an object that is not an error', { status: 404 }],
  ])('%s', (_name, error) => {
    expect(classifyError(error)).toEqual({ retryable: false, retryAfter: null })
  })
})

describe('retried', () => {
  test.each<[string, unknown]>([
    ['an unknown error', new Error('x')],
    ['a text', 'x'],
    ['undefined', undefined],
    ['null', null],
    ['a HandlerError', new HandlerError('later')],
    ['a timeout', new HandlerTimeoutError('slow')],
    ...[408, 425, 429, 500, 503, 599].map((status): [string, unknown] => [`HTTP ${status}`, http(status)]),
    ['a status nobody listed', http(418)],
    ['an invalid status', http(7)],
    ['a network error', Object.assign(new Error('x'), { code: 'ECONNRESET' })],
    ['one of fetch', new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } })],
    ['a HandlerError around a 404', new HandlerError('again', true, undefined, { cause: http(404) })],
    ['a network error around a 404', Object.assign(new Error('x', { cause: http(404) }), { code: 'EPIPE' })],
    ['issues that are none', Object.assign(new Error('x'), { issues: [1] })],
    ['a cycle of causes', cyclic],
  ])('%s', (_name, error) => {
    expect(classifyError(error)).toEqual({ retryable: true, retryAfter: null })
  })
})

describe('Retry-After', () => {
  test.each([
    ['seconds', { retryAfter: 2 }, 2_000],
    ['text', { retryAfter: '3' }, 3_000],
    ['details of a HandlerError', { details: { retryAfter: 1.5 } }, 1_500],
    ['a header', { headers: { 'Retry-After': '4' } }, 4_000],
    ['a header of a Headers object', { headers: new Headers({ 'retry-after': '5' }) }, 5_000],
    ['a header of the response', { response: { headers: { 'retry-after': ['6'] } } }, 6_000],
    ['nonsense', { retryAfter: 'soon', headers: { 'retry-after': '' } }, null],
    ['too long', { retryAfter: 1e12 }, 604_800_000],
  ])('%s', (_name, more, expected) => {
    expect(classifyError(http(429, more)).retryAfter).toBe(expected)
    expect(classifyError(http(404, more)).retryAfter).toBeNull()
  })

  test('as an HTTP date, or a Date, counts from now', () => {
    const now = Date.UTC(2030, 0, 1)
    expect(parseRetryAfter('Tue, 01 Jan 2030 00:01:00 GMT', now)).toBe(60_000)
    expect(parseRetryAfter('Mon, 31 Dec 2029 23:00:00 GMT', now)).toBe(0)
    expect(parseRetryAfter(new Date(now + 5), now)).toBe(5)
    expect(parseRetryAfter(undefined, now)).toBeNull()
  })
})

describe('the word of the handler', () => {
  const context = new DeliveryContext(delivery('A'), null)
  const ask = (verdict: unknown, error: unknown = http(404, { retryAfter: 1 })) =>
    askHandler({ classifyError: () => verdict as boolean }, error, context)

  test.each([
    [true, { retryable: true, retryAfter: 1_000 }],
    [false, { retryable: false, retryAfter: null }],
    [{ retryable: true }, { retryable: true, retryAfter: null }],
    [
      { retryable: true, retryAfter: 7 },
      { retryable: true, retryAfter: 7 },
    ],
    [undefined, undefined],
    [null, undefined],
  ])('%j', (verdict, expected) => {
    expect(ask(verdict)).toEqual(expected)
  })

  test('of a handler that says nothing, or fails while it says', () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    expect(askHandler({}, new Error('x'), context)).toBeUndefined()
    const broken = {
      classifyError: () => {
        throw new Error('mine')
      },
    }
    expect(askHandler(broken, 'text', context)).toBeUndefined()
    expect(ask(true, 'text')).toEqual({ retryable: true, retryAfter: null })
    expect(error).toHaveBeenCalledOnce()
  })
})
