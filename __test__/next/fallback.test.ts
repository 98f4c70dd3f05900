import { close, dispatch, dispatchBatch, MessageValidationError, setConfig } from '@leadmap/symphony'
import { dispatchEmailMessage, withSymphonyFallback } from '@leadmap/symphony/utils'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { startCuttingProxy } from './cutting-proxy.js'

const database = await createQueue()
const proxy = await startCuttingProxy(database.directUrl)
afterAll(proxy.close)

const legacy = vi.fn(async () => 'legacy')
const message = { type: 'Email', payload: { to: 'a@b.c' } }
const bad = { type: '', payload: {} }
const email = {
  emailId: 'e1',
  userId: 'u1',
  mailboxId: 'm1',
  toEmail: 'a@b.c',
  subject: 'Hello',
  html: '<p>World</p>',
}

beforeEach(async () => {
  await emptyTables(database)
  legacy.mockClear()
  await close()
  setConfig({ database: { url: proxy.url, pooled: true } })
})

/** How often each path did the work. */
const done = async () => ({ stored: (await storedMessages(database)).length, legacy: legacy.mock.calls.length })

test('runs one path, as the flag says', async () => {
  expect(await withSymphonyFallback(false, () => dispatch(message), legacy)).toBe('legacy')
  expect(await withSymphonyFallback('emailQueue', () => dispatch(message), legacy)).toBe('legacy')
  expect(await done()).toEqual({ stored: 0, legacy: 2 })
  expect(
    await withSymphonyFallback(
      async () => true,
      () => dispatch(message),
      legacy,
    ),
  ).toMatchObject({ status: 'queued' })
  setConfig({ database: { url: proxy.url }, features: { enabled: true, emailQueue: true } })
  expect(await withSymphonyFallback('emailQueue', () => dispatch(message), legacy)).toMatchObject({ status: 'queued' })
  expect(await done()).toEqual({ stored: 2, legacy: 2 })
})

describe('runs the legacy path when it is certain that nothing was stored:', () => {
  test.each([
    ['an invalid message', () => dispatch(bad)],
    ['a transport that does not exist', () => dispatch(message, { transport: 'nowhere' })],
    ['a batch of invalid messages, atomically', () => dispatchBatch([bad], { atomic: true })],
  ])('%s', async (_, via) => {
    expect(await withSymphonyFallback(true, async () => via(), legacy)).toBe('legacy')
    expect(await done()).toEqual({ stored: 0, legacy: 1 })
  })

  test.each([
    ['a server that is not there', 'postgres://root@127.0.0.1:1/none'],
    ['a database that is not there', new URL('/not_there', database.directUrl).href],
    ['tables that are not there', new URL('/postgres', database.directUrl).href],
  ])('%s', async (_, url) => {
    setConfig({ database: { url } })
    expect(await withSymphonyFallback(true, () => dispatch(message), legacy)).toBe('legacy')
    expect(await done()).toEqual({ stored: 0, legacy: 1 })
  })
})

describe('a wire that is cut after the message was stored', () => {
  test('runs neither path a second time, and says that it does not know', async () => {
    await dispatch({ type: 'Warm', payload: {} })
    proxy.cutAfter('messenger_messages_pending')
    const running = withSymphonyFallback(true, () => dispatch(message), legacy)
    await expect(running).rejects.toMatchObject({ code: 'SYMPHONY_CONNECTION_FAILED', details: { sent: true } })
    expect(await done()).toEqual({ stored: 2, legacy: 0 })
  })

  test('is found out by the idempotency key', async () => {
    await dispatch({ type: 'Warm', payload: {} })
    proxy.cutAfter('messenger_messages_pending')
    const result = await withSymphonyFallback(true, () => dispatchEmailMessage(email), legacy)
    expect(result).toMatchObject({ status: 'duplicate', idempotencyKey: 'email:e1' })
    expect(await done()).toEqual({ stored: 2, legacy: 0 })
  })

  test('is found out by a key that stands in the message', async () => {
    await dispatch({ type: 'Warm', payload: {} })
    proxy.cutAfter('messenger_messages_pending')
    const result = await withSymphonyFallback(true, () => dispatch({ ...message, idempotencyKey: 'flat' }), legacy)
    expect(result).toMatchObject({ status: 'duplicate', idempotencyKey: 'flat' })
    expect(await done()).toEqual({ stored: 2, legacy: 0 })
  })

  test('and is cut each time again, does not end in the legacy path', async () => {
    proxy.cutAfter('messenger_messages_pending', 100)
    const running = withSymphonyFallback(true, () => dispatchEmailMessage(email), legacy)
    await expect(running).rejects.toMatchObject({ code: 'SYMPHONY_CONNECTION_FAILED' })
    proxy.cutAfter('nothing', 0)
    expect(await done()).toEqual({ stored: 1, legacy: 0 })
  })
})

describe('never runs the legacy path', () => {
  test('when one of several messages was stored', async () => {
    const via = async () => {
      await dispatch(message)
      await dispatch(bad)
    }
    await expect(withSymphonyFallback(true, via, legacy)).rejects.toBeInstanceOf(MessageValidationError)
    expect(await done()).toEqual({ stored: 1, legacy: 0 })
  })

  test('when one is stored while another one fails', async () => {
    const via = () => Promise.all([dispatch(bad), dispatch(message), dispatchBatch([message, bad])])
    await expect(withSymphonyFallback(true, via, legacy)).rejects.toBeInstanceOf(MessageValidationError)
    expect(await done()).toEqual({ stored: 2, legacy: 0 })
  })

  test('when something other than a dispatch failed', async () => {
    const via = () => Promise.reject(new TypeError('a bug'))
    await expect(withSymphonyFallback(true, via, legacy)).rejects.toThrow('a bug')
    expect(await done()).toEqual({ stored: 0, legacy: 0 })
  })
})

test('a dispatch that comes after the legacy path began is refused', async () => {
  let late: Promise<unknown> = Promise.resolve()
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  legacy.mockImplementationOnce(async () => {
    begin()
    return 'legacy'
  })
  const via = async () => {
    late = begun.then(() => dispatch(message))
    late.catch(() => undefined)
    await dispatch(bad)
  }
  expect(await withSymphonyFallback(true, via, legacy)).toBe('legacy')
  await expect(late).rejects.toThrow('is over')
  expect(await done()).toEqual({ stored: 0, legacy: 1 })
})

test('dispatches outside of it are not its own', async () => {
  const inside = withSymphonyFallback(true, () => dispatch(bad), legacy)
  await dispatch(message)
  expect(await inside).toBe('legacy')
  expect(await done()).toEqual({ stored: 1, legacy: 1 })
})
