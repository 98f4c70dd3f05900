import {
  defineMessage,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getRegistry,
  HandlerError,
  registerHandler,
  setConfig,
  snooze,
} from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { countAll, createQueue, emptyTables } from './support/symphony.js'

const database = await createQueue({ routing: { 'Now*': 'sync' } })

beforeEach(async () => {
  getRegistry().clear()
  await emptyTables(database)
})

describe('transport sync', () => {
  test('runs the handlers inside dispatch(), and stores nothing', async () => {
    const seen: unknown[] = []
    registerHandler(
      'Now',
      (message, context) => void seen.push(message.payload, context.transport, context.attempt, context.headers),
    )
    const result = await dispatch({ type: 'Now', payload: { n: 1 } }, { headers: { trace: 'abc' } })
    expect(result).toMatchObject({ status: 'handled', transport: 'sync', messageId: expect.any(String) })
    expect(seen).toEqual([
      { n: 1 },
      'sync',
      1,
      { trace: 'abc', 'message-type': 'Now', 'message-id': result.messageId, 'dispatched-at': expect.any(String) },
    ])
    expect(await countAll(database)).toBe(0)
  })

  test.each([
    ['an error of its own class', new (class Refused extends Error {})('refused')],
    ['a HandlerError', new HandlerError('no', false, { reason: 1 })],
    ['no error at all', 'text'],
    ['undefined', undefined],
    ['an object', { code: 7 }],
  ])('lets the caller catch what the handler threw: %s', async (_what, thrown) => {
    registerHandler('Now', () => {
      throw thrown
    })
    let caught: unknown = 'nothing'
    try {
      await dispatch({ type: 'Now', payload: {} })
    } catch (error) {
      caught = error
    }
    expect(caught).toBe(thrown)
    expect(await countAll(database)).toBe(0)
  })

  test('hands every error to its own caller, also out of a batch', async () => {
    const errors = Array.from({ length: 20 }, (_, n) => new Error(`number ${n}`))
    registerHandler('Now', async ({ payload }) => {
      await new Promise(setImmediate)
      if (payload.n % 2 === 1) throw errors[payload.n]
    })
    const messages = errors.map((_, n) => ({ type: 'Now', payload: { n } }))
    const settled = await Promise.allSettled(messages.map((message) => dispatch(message)))
    for (const [n, outcome] of settled.entries()) {
      expect(outcome.status === 'rejected' ? outcome.reason : undefined).toBe(n % 2 === 1 ? errors[n] : undefined)
    }
    const results = await dispatchBatch(messages)
    for (const [n, result] of results.entries()) {
      expect(result.success ? result.status : result.error).toBe(n % 2 === 1 ? errors[n] : 'handled')
    }
  })

  test('refuses a message for later, and one that nobody handles', async () => {
    registerHandler('Now', () => expect.unreachable())
    for (const options of [{ delay: '1h' }, { scheduledAt: new Date(Date.now() + 3_600_000) }]) {
      await expect(dispatch({ type: 'Now', payload: {} }, options)).rejects.toMatchObject({
        name: 'TransportError',
        code: 'SYMPHONY_TRANSPORT_NOT_CAPABLE',
        message: expect.stringMatching(/"sync" cannot/),
      })
    }
    await expect(dispatch({ type: 'NowUnknown', payload: {} })).rejects.toMatchObject({
      name: 'HandlerError',
      message: expect.stringContaining("registerHandler('NowUnknown'"),
    })
    expect(await countAll(database)).toBe(0)
  })

  test('checks messages as every transport does', async () => {
    registerHandler('Now', () => expect.unreachable())
    await expect(dispatch({ type: 'Now', payload: {} }, { priority: 11 })).rejects.toMatchObject({
      code: 'SYMPHONY_INVALID_PRIORITY',
    })
  })

  test('lets a handler dispatch, to itself and to the queue', async () => {
    registerHandler('NowOuter', async ({ payload }) => {
      if (payload.depth > 0) await dispatch({ type: 'NowOuter', payload: { depth: payload.depth - 1 } })
      await dispatch({ type: 'Queued', payload })
    })
    await dispatch({ type: 'NowOuter', payload: { depth: 5 } })
    expect(await countAll(database)).toBe(6)
  })

  test('runs all handlers of a type, and says that one of them failed', async () => {
    const calls: string[] = []
    const failure = new Error('second fails')
    registerHandler('Now', () => void calls.push('first'), { name: 'first' })
    registerHandler('Now', () => Promise.reject(failure), { name: 'second' })
    registerHandler('Now', () => void calls.push('third'), { name: 'third' })
    await expect(dispatch({ type: 'Now', payload: {} })).rejects.toBe(failure)
    expect(calls).toEqual(['first', 'third'])
  })

  test('runs middleware and schemas', async () => {
    const Now = defineMessage('Now', z.object({ n: z.number().default(7) }))
    const seen: number[] = []
    getRegistry().use(async (_envelope, _context, next) => {
      seen.push(0)
      await next()
    })
    registerHandler(Now, (message) => void seen.push(message.payload.n))
    await dispatch(Now, {})
    expect(seen).toEqual([0, 7])
  })

  test('limits the time of a handler', async () => {
    registerHandler('Now', () => new Promise(() => undefined), { timeout: 30, name: 'endless' })
    await expect(dispatch({ type: 'Now', payload: {} })).rejects.toMatchObject({
      name: 'HandlerTimeoutError',
      message: 'endless took longer than 30 ms with a Now',
    })
  })

  test('has nowhere to put a snoozed message', async () => {
    registerHandler('Now', () => snooze('1h'))
    await expect(dispatch({ type: 'Now', payload: {} })).rejects.toMatchObject({
      code: expect.stringMatching(/^SYMPHONY_/),
    })
  })

  test('beside another transport fails or succeeds by itself', async () => {
    const failure = new Error('inline')
    registerHandler('Any', () => Promise.reject(failure))
    const results = await dispatchToTransports({ type: 'Any', payload: {} }, ['sync', 'supabase'])
    expect(results).toMatchObject([
      { success: false, transport: 'sync' },
      { success: true, transport: 'supabase', status: 'queued' },
    ])
    expect(results[0]?.success === false && results[0].error).toBe(failure)
    expect(await countAll(database)).toBe(1)
  })

  test('needs no database', async () => {
    setConfig({ database: { url: 'postgres://nobody@127.0.0.1:1/none' } })
    registerHandler('Now', () => undefined)
    expect(await dispatch({ type: 'Now', payload: {} })).toMatchObject({ status: 'handled' })
    setConfig({ database: { url: database.url } })
  })
})
