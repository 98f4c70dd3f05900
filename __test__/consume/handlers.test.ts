import {
  consumeBatch,
  discard,
  dispatch,
  dispatchBatch,
  type HandlerContext,
  HandlerRegistry,
  type Message,
  type MessageHandler,
  registerHandler,
  setLogger,
  snooze,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0 } } })

beforeEach(() => emptyTables(database))

const message = { type: 'Any', payload: { n: 1 }, metadata: { tenant: 't' } }

/** The row of the only message. */
async function onlyRow() {
  const [row, ...others] = await storedMessages(database)
  expect(others).toEqual([])
  if (!row) throw new Error('the message does not exist')
  return row
}

describe('a handler gets', () => {
  test('the message, and one object as envelope and as context', async () => {
    const { messageId, availableAt } = await dispatch(message, {
      priority: 7,
      queue: 'q',
      headers: { trace: 'abc' },
      metadata: { extra: true },
      idempotencyKey: 'key',
      maxRetries: 9,
    })
    const registry = new HandlerRegistry()
    const seen: unknown[] = []
    registry.register('Any', (...given) => void seen.push(...given))
    await consumeBatch({ registry })

    const [got, envelope, context] = seen as [Message, HandlerContext, HandlerContext]
    expect(context).toBe(envelope)
    expect(got).toEqual({ type: 'Any', payload: { n: 1 }, metadata: { tenant: 't', extra: true } })
    expect(envelope.message).toBe(got)
    const { id, transportName, transport, queueName, priority, idempotencyKey, metadata } = envelope
    expect({ id, transportName, transport, queueName, priority, idempotencyKey, metadata }).toEqual({
      id: messageId,
      transportName: 'supabase',
      transport: 'supabase',
      queueName: 'q',
      priority: 7,
      idempotencyKey: 'key',
      metadata: { tenant: 't', extra: true },
    })
    const { retryCount, maxRetries, attempt, scheduledAt, deadline } = envelope
    expect({ retryCount, maxRetries, attempt, scheduledAt, deadline }).toEqual({
      retryCount: 0,
      maxRetries: 9,
      attempt: 1,
      scheduledAt: null,
      deadline: null,
    })
    expect(envelope.messageId).toBe(messageId)
    expect(envelope.availableAt).toEqual(availableAt)
    expect(envelope.createdAt).toBeInstanceOf(Date)
    expect(envelope.signal.aborted).toBe(false)
    expect(envelope.logger.info).toBeTypeOf('function')
  })

  test('the headers that are always there, beside those of the caller', async () => {
    const before = Date.now()
    const { messageId } = await dispatch(message, { headers: { trace: 'abc', 'message-type': 'forged' } })
    let headers: Record<string, string> = {}
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, envelope) => {
      headers = envelope.headers
    })
    await consumeBatch({ registry })
    expect(headers).toEqual({
      trace: 'abc',
      'message-type': 'Any',
      'message-id': messageId,
      'dispatched-at': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
    })
    expect(Math.abs(Date.parse(headers['dispatched-at'] ?? '') - before)).toBeLessThan(60_000)
  })

  test('the instant it was scheduled for', async () => {
    const scheduledAt = new Date(Date.now() - 5000)
    await dispatch(message, { scheduledAt })
    let seen: Date | null = null
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, context) => {
      seen = context.scheduledAt
    })
    await consumeBatch({ registry })
    expect(seen).toEqual(scheduledAt)
  })
})

describe('a handler can be', () => {
  test('a function, a class, an object that names its type, each registered again without duplicates', async () => {
    const calls: string[] = []
    class AnyHandler implements MessageHandler {
      #prefix = 'class'
      async handle(got: Message, envelope: unknown, context: HandlerContext): Promise<void> {
        calls.push(`${this.#prefix} ${got.type} ${envelope === context}`)
      }
    }
    const registry = new HandlerRegistry()
    for (let reload = 0; reload < 2; reload += 1) {
      registry.register('Any', function sendMail(got) {
        calls.push(`function ${got.payload.n}`)
      })
      registry.register('Any', new AnyHandler(), { name: 'class' })
      registry.register({ type: 'Any', name: 'object', handle: async () => void calls.push('object') })
    }
    await dispatch(message)
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(calls).toEqual(['function 1', 'class Any true', 'object'])
  })

  test('on the registry of the process, and taken back', async () => {
    const calls: number[] = []
    registerHandler('Other', () => undefined)
    const unregister = registerHandler('Any', (got) => void calls.push(got.payload.n))
    await dispatch(message)
    await consumeBatch()
    unregister()
    await dispatch(message)
    expect(await consumeBatch()).toMatchObject({ claimed: 0 })
    expect(calls).toEqual([1])
  })

  test.each([[undefined], ['text'], [{}]])('no %o', (handler) => {
    const register = () => new HandlerRegistry().register('Any', handler as unknown as MessageHandler)
    expect(register).toThrow(expect.objectContaining({ name: 'ConfigurationError', code: 'SYMPHONY_INVALID_HANDLER' }))
  })
})

describe('several handlers of a type', () => {
  test('all run, and a retry runs only those that failed', async () => {
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Any', () => void calls.push('first'), { name: 'first' })
    registry.register(
      'Any',
      (_message, { attempt }) => {
        calls.push(`second ${attempt}`)
        if (attempt < 3) throw new Error('not yet')
      },
      { name: 'second' },
    )
    registry.register('*', () => void calls.push('third'), { name: 'third' })
    await dispatch(message)
    expect(await consumeBatch({ registry })).toMatchObject({ retried: 2, succeeded: 1, deadLettered: 0 })
    expect(calls).toEqual(['first', 'second 1', 'third', 'second 2', 'second 3'])
    expect(await onlyRow()).toMatchObject({ status: 'completed', retry_count: 2 })
  })

  test('remember their success until the message is a dead letter, and after', async () => {
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Any', () => void calls.push('good'), { name: 'good' })
    registry.register('Any', () => Promise.reject(new Error('bad')), { name: 'bad' })
    await dispatch(message, { maxRetries: 1 })
    expect(await consumeBatch({ registry })).toMatchObject({ retried: 1, deadLettered: 1 })
    expect(calls).toEqual(['good'])
    expect((await listFailed()).messages).toMatchObject([{ error: 'bad', retryCount: 1 }])
  })
})

describe('a handler that is not done', () => {
  test('snoozes its message without using an attempt', async () => {
    await dispatch(message, { maxRetries: 0 })
    const registry = new HandlerRegistry()
    let runs = 0
    registry.register('Any', () => (++runs < 3 ? snooze(0) : undefined))
    expect(await consumeBatch({ registry })).toMatchObject({ snoozed: 2, succeeded: 1, retried: 0, deadLettered: 0 })
    expect(await onlyRow()).toMatchObject({ status: 'completed', retry_count: 0 })
  })

  test('snoozes it for as long as it says', async () => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    registry.register('Any', () => snooze('1h'))
    expect(await consumeBatch({ registry })).toMatchObject({ snoozed: 1, drained: true })
    const [row] = await database.query(
      `SELECT status, retry_count, last_error, locked_by,
              available_at > now() + interval '59 minutes' AND available_at <= now() + interval '1 hour' AS in_an_hour
       FROM symphony.messenger_messages`,
    )
    expect(row).toEqual({ status: 'pending', retry_count: 0, last_error: null, locked_by: null, in_an_hour: true })
  })

  test.each<[string, (context: HandlerContext) => unknown]>([
    ['called without return', (context) => void context.snooze('1h')],
    [
      'called before an await',
      async (context) => {
        context.snooze('1h')
        await Promise.resolve()
      },
    ],
    ['called and returned', (context) => context.snooze('1h')],
    [
      'thrown',
      () => {
        throw snooze('1h')
      },
    ],
    ['thrown by what it awaits', () => Promise.reject(snooze('1h'))],
  ])('snoozes its message, %s', async (_how, handler) => {
    await dispatch(message, { maxRetries: 0 })
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, context) => handler(context))
    expect(await consumeBatch({ registry })).toMatchObject({ snoozed: 1, succeeded: 0, deadLettered: 0 })
    expect(await onlyRow()).toMatchObject({ status: 'pending', retry_count: 0 })
  })

  test.each<[string, (context: HandlerContext) => unknown]>([
    ['called without return', (context) => void context.discard('gone')],
    [
      'thrown',
      () => {
        throw discard('gone')
      },
    ],
  ])('discards its message, %s', async (_how, handler) => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, context) => handler(context))
    expect(await consumeBatch({ registry })).toMatchObject({ discarded: 1, succeeded: 0, retried: 0 })
    expect(await onlyRow()).toMatchObject({ status: 'discarded', last_error: 'gone' })
  })

  test.each<[string, () => unknown, string]>([
    ['{ delay }', () => ({ delay: 5000 }), 'returned { delay }'],
    ['{ retry, reason }', async () => ({ retry: true, reason: 'busy' }), 'returned { retry, reason }'],
    ['an Error', () => new Error('no'), 'returned an Error instead of throwing it'],
    ['{ success: false }', () => ({ success: false, data: 1 }), 'returned { success: false }'],
    ['a Response that is not ok', () => new Response('', { status: 500 }), 'returned { ok: false }'],
    ['a function', () => () => undefined, 'returned a function, which nobody calls'],
    [
      'what a generator gives',
      () =>
        (async function* () {
          yield 1
        })(),
      'returned a generator, which nobody runs',
    ],
    [
      'what allSettled() gives',
      () => Promise.allSettled([1, Promise.reject(new Error('bounced'))]),
      'returned 1 rejected of 2 results of Promise.allSettled()',
    ],
    [
      '{ data: null, error }',
      () => ({ data: null, error: { message: 'no such column' }, status: 400 }),
      'returned an { error } instead of throwing it',
    ],
    ['nothing, having called snooze()', () => void snooze('5m'), 'called snooze() or discard() and did not return'],
  ])('returns %s: refused at once, with the remedy', async (_what, handler, mistake) => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    registry.register('Any', handler)
    expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1, retried: 0, succeeded: 0 })
    const { messages } = await listFailed()
    expect(messages).toMatchObject([{ errorClass: 'HandlerError', retryCount: 0 }])
    expect(messages[0]?.error).toContain(`of Any ${mistake}`)
    expect(messages[0]?.error).toContain('to run again later call context.snooze(delay)')
  })

  test.each<[string, () => unknown]>([
    ['{ delay }', () => ({ delay: 5000 })],
    ['an Error', () => new Error('no')],
  ])('returns %s in production: it counts, and is logged once', async (_what, handler) => {
    vi.stubEnv('NODE_ENV', 'production')
    const warn = vi.fn()
    setLogger({ debug: () => {}, info: () => {}, warn, error: () => {} })
    onTestFinished(() => {
      vi.unstubAllEnvs()
      setLogger()
    })
    await dispatchBatch([message, message, message])
    const registry = new HandlerRegistry()
    registry.register('Any', handler, { name: 'sloppy' })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 3, deadLettered: 0 })
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^the handler sloppy of Any returned /), expect.objectContaining({ handler: 'sloppy' })],
    ])
  })

  test.each([
    undefined,
    null,
    1,
    'text',
    true,
    false,
    [{ delay: 1 }],
    { id: 1, delay: 5 },
    { ok: true },
    { data: [], error: null },
    { data: { id: 1 }, error: { message: 'partly' } },
    [{ status: 'fulfilled', value: 1 }, { status: 'rejected' }],
    new Date(),
    {},
  ])('may return %j, which nobody looks at', async (returned) => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    registry.register('Any', () => returned)
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  })

  test('discards its message with a reason', async () => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    registry.register('Any', () => discard('the user has left'))
    expect(await consumeBatch({ registry })).toMatchObject({ discarded: 1, succeeded: 0, deadLettered: 0 })
    expect(await onlyRow()).toMatchObject({ status: 'discarded', last_error: 'the user has left' })
    expect((await listFailed()).messages).toEqual([])
  })
})

describe('a handler that takes too long', () => {
  test('is told by its signal, and its message is retried', async () => {
    await dispatch(message)
    const registry = new HandlerRegistry()
    const reasons: unknown[] = []
    registry.register(
      'Any',
      async (_message, { signal, attempt, deadline }) => {
        if (attempt > 1) return
        expect(deadline).toBeInstanceOf(Date)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        reasons.push(signal.reason)
      },
      { timeout: 50, name: 'slow' },
    )
    expect(await consumeBatch({ registry })).toMatchObject({ retried: 1, succeeded: 1, deadLettered: 0 })
    expect(reasons).toMatchObject([{ name: 'HandlerTimeoutError', code: 'SYMPHONY_HANDLER_TIMEOUT' }])
    expect(await onlyRow()).toMatchObject({ retry_count: 1, last_error: 'slow took longer than 50 ms with a Any' })
  })

  test('does not hold its slot even when it never ends', async () => {
    await dispatch(message, { maxRetries: 0 })
    await dispatch({ type: 'Other', payload: {} }, { priority: 1 })
    const registry = new HandlerRegistry()
    registry.register('Any', () => new Promise(() => undefined), { timeout: '50ms' })
    registry.register('Other', () => undefined)
    expect(await consumeBatch({ registry, maxConcurrency: 1 })).toMatchObject({ deadLettered: 1, succeeded: 1 })
    expect((await listFailed()).messages).toMatchObject([{ errorClass: 'HandlerTimeoutError' }])
  })
})

test('whatever a handler throws, the message is accounted for', async () => {
  const thrown: unknown[] = [
    undefined,
    null,
    'text',
    42,
    Symbol('s'),
    10n,
    Object.create(null),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap')
        },
      },
    ),
    new Error('NUL \u0000 and half a pair \ud800'),
    new Error('x'.repeat(100_000)),
    Object.assign(new Error('cause'), { cause: new Error('inner') }),
  ]
  await Promise.all(thrown.map((_, n) => dispatch({ type: 'Any', payload: { n } }, { maxRetries: 0 })))
  const registry = new HandlerRegistry()
  registry.register('Any', (got) => {
    throw thrown[got.payload.n as number]
  })
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: thrown.length, lost: 0, drained: true })
  expect((await listFailed()).messages).toHaveLength(thrown.length)
})
