import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  discard,
  type HandlerContext,
  HandlerError,
  HandlerRegistry,
  HandlerTimeoutError,
  SymphonyError,
  snooze,
} from '../index.js'
import { delivery, freshProcess } from '../testing/fakes/fake-core.js'
import { DeliveryContext } from './context.js'
import type { Delivery } from './delivery.js'
import { reportError } from './error-report.js'
import { type Execution, execute } from './executor.js'

let registry: HandlerRegistry
beforeEach(() => {
  freshProcess()
  registry = new HandlerRegistry()
})

const run = async (more: Partial<Delivery> = {}, timeout = 0): Promise<Execution> =>
  execute(registry, new DeliveryContext(delivery('A', more), null), timeout)

const handle = (name: string, handler: () => unknown): void => void registry.register('A', handler, { name })

describe('an outcome asked for through the context', () => {
  const within = (name: string, handler: (context: HandlerContext) => unknown): void =>
    void registry.register('A', (_message, context) => handler(context), { name })

  test('belongs to the handler that asked: the others have succeeded', async () => {
    within('first', () => undefined)
    within('second', (context) => void context.snooze(5))
    within('third', () => undefined)
    expect(await run()).toEqual({ settlement: { as: 'snoozed', delay: 5, handled: ['A#first', 'A#third'] } })
  })

  test('does not count where the handler fails', async () => {
    within('first', (context) => {
      context.snooze(5)
      throw new RangeError('no')
    })
    within('second', () => undefined)
    expect((await run()).settlement).toMatchObject({
      as: 'failed',
      error: { class: 'RangeError' },
      handled: ['A#second'],
    })
  })

  test('is reported where it comes too late', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    let late: HandlerContext | undefined
    within('one', (context) => {
      late = context
    })
    expect(await run()).toEqual({})
    expect(warn).not.toHaveBeenCalled()
    late?.snooze(5)
    late?.discard()
    expect(warn.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringContaining('context.snooze() has no effect: the handlers of this A have ended, await what calls it'),
      expect.stringContaining('context.discard() has no effect: the handlers of this A have ended'),
    ])
  })

  test('yields to what is returned, where that postpones', async () => {
    within('one', (context) => {
      context.discard('no')
      return snooze(7)
    })
    expect((await run()).settlement).toMatchObject({ as: 'snoozed', delay: 7 })
  })

  test('may come from middleware, before and after the handlers', async () => {
    const ran = vi.fn()
    within('one', ran)
    registry.use(async (_envelope, context, next) => {
      context.snooze(3)
      return next()
    })
    expect((await run()).settlement).toEqual({ as: 'snoozed', delay: 3, handled: ['A#one'] })
    registry.clear()
    within('one', ran)
    registry.use(async (_envelope, context, next) => {
      await next()
      context.discard('after')
    })
    expect((await run()).settlement).toEqual({ as: 'discarded', reason: 'after' })
    registry.use(() => Promise.reject(snooze(9)))
    expect((await run()).settlement).toMatchObject({ as: 'snoozed', delay: 9 })
    expect(ran).toHaveBeenCalledTimes(2)
  })

  test('an invalid delay fails the run', async () => {
    within('one', (context) => void context.snooze('soon'))
    expect((await run()).settlement).toMatchObject({
      as: 'failed',
      error: { message: expect.stringContaining('snooze: got soon, wants milliseconds') },
    })
  })
})

describe('handlers', () => {
  test('succeed together', async () => {
    const order: string[] = []
    handle('one', async () => order.push('one'))
    handle('two', () => order.push('two'))
    expect(await run()).toEqual({})
    expect(order).toEqual(['one', 'two'])
  })

  test('all run though one fails, and those that succeeded are remembered', async () => {
    handle('first', () => 1)
    handle('second', () => Promise.reject(new RangeError('no')))
    handle('third', () => 3)
    const { settlement, error } = await run()
    expect(settlement).toMatchObject({
      as: 'failed',
      retryable: true,
      retryAfter: null,
      error: { class: 'RangeError', message: 'no' },
      handled: ['A#first', 'A#third'],
    })
    expect(error).toBeInstanceOf(RangeError)
  })

  test('that succeeded in an earlier run do not run again', async () => {
    const first = vi.fn()
    handle('first', first)
    handle('second', () => Promise.reject('still'))
    const { settlement } = await run({ handled: ['A#first'] })
    expect(first).not.toHaveBeenCalled()
    expect(settlement).toMatchObject({ handled: ['A#first'], error: { class: 'NonError', message: 'still' } })
  })

  test('one worth another try is enough; the longest wait counts', async () => {
    handle('a', () => Promise.reject(new HandlerError('never', false)))
    handle('b', () => Promise.reject(new HandlerError('later', true, { retryAfter: 2 })))
    handle('c', () => Promise.reject(new HandlerError('later', true, { retryAfter: 3 })))
    expect((await run()).settlement).toMatchObject({ retryable: true, retryAfter: 3_000, error: { message: 'never' } })
  })

  test('a handler decides about its errors itself', async () => {
    registry.register('A', {
      handle: () => Promise.reject(new HandlerError('says true')),
      classifyError: () => false,
    })
    expect((await run()).settlement).toMatchObject({ retryable: false })
  })
})

describe('outcomes', () => {
  test('snooze and discard', async () => {
    handle('x', () => snooze('5m'))
    expect(await run()).toEqual({ settlement: { as: 'snoozed', delay: 300_000, handled: [] } })
    handle('x', async () => discard('old'))
    expect(await run()).toEqual({ settlement: { as: 'discarded', reason: 'old' } })
    handle('x', () => discard())
    expect(await run()).toMatchObject({ settlement: { as: 'discarded', reason: 'discarded by its handler' } })
  })

  test('"again later" wins over "finished", a failure over both', async () => {
    handle('a', () => discard('a'))
    handle('b', () => snooze(5))
    handle('c', () => discard('c'))
    expect((await run()).settlement).toEqual({ as: 'snoozed', delay: 5, handled: ['A#a', 'A#c'] })
    handle('d', () => Promise.reject(new Error('x')))
    expect((await run()).settlement).toMatchObject({ as: 'failed', handled: ['A#a', 'A#c'] })
  })

  test('a snooze needs a duration', () => {
    expect(() => snooze('soon')).toThrow(SymphonyError)
    expect(() => snooze(-1)).toThrow(SymphonyError)
  })

  test('other values mean nothing', async () => {
    handle('x', () => ({ delay: 5, reason: 'x', id: 1 }))
    expect(await run()).toEqual({})
  })
})

describe('the time limit', () => {
  test('aborts the signal, then fails the message even if the handler goes on', async () => {
    let signal: AbortSignal | undefined
    let deadline: Date | null = null
    registry.register('A', (_message, _envelope, context) => {
      signal = context.signal
      deadline = context.deadline
      return new Promise(() => undefined)
    })
    const after = vi.fn()
    handle('after', after)
    const { settlement, error } = await run({}, 20)
    expect(error).toBeInstanceOf(HandlerTimeoutError)
    expect(settlement).toMatchObject({ as: 'failed', retryable: true, error: { class: 'HandlerTimeoutError' } })
    expect(signal?.reason).toBe(error)
    expect(deadline).toBeInstanceOf(Date)
    expect(after).not.toHaveBeenCalled()
  })

  test("a handler's own limit counts, 0 lifts it, and a late failure disturbs nobody", async () => {
    registry.register('A', () => new Promise((_, reject) => setTimeout(reject, 30, new Error('late'))), { timeout: 10 })
    expect((await run({}, 10_000)).error).toBeInstanceOf(HandlerTimeoutError)
    registry.clear()
    const deadlines: unknown[] = []
    registry.register('A', (_m, _e, context) => void deadlines.push(context.deadline), { timeout: 0 })
    expect(await run({}, 1)).toEqual({})
    expect(deadlines).toEqual([null])
    await new Promise((resolve) => setTimeout(resolve, 30))
  })

  test('in time is in time, thrown at once is thrown', async () => {
    handle('x', () => 1)
    expect(await run({}, 50)).toEqual({})
    handle('x', () => {
      throw new Error('at once')
    })
    expect((await run({}, 50)).settlement).toMatchObject({ error: { message: 'at once' } })
  })
})

test('what is left does not start once the signal is aborted', async () => {
  const context = new DeliveryContext(delivery('A'), null)
  handle('one', () => context.abort(new Error('stopped')))
  const two = vi.fn()
  handle('two', two)
  const { error } = await execute(registry, context, 0)
  expect(two).not.toHaveBeenCalled()
  expect(error).toMatchObject({ message: 'stopped' })
})

describe('whatever is thrown can be stored', () => {
  class Own extends Error {}
  const unreadable = new Proxy({}, { get: () => { throw new Error('no') } }) // biome-ignore format: one line.
  const cyclic: { self?: object } = {}
  cyclic.self = cyclic
  test.each([
    [undefined, { class: 'NonError', message: 'the handler threw undefined' }],
    [null, { class: 'NonError', message: 'null' }],
    ['text', { class: 'NonError', message: 'text' }],
    [7n, { class: 'NonError', message: '7' }],
    [Object.freeze({ a: 1 }), { class: 'Object', message: '{"a":1}' }],
    [Object.create(null), { class: 'Error', message: '{}' }],
    [cyclic, { class: 'Object', message: '[object Object]' }],
    [unreadable, { class: 'Error', message: 'the handler threw a value that cannot be read' }],
    [new Own('x'), { class: 'Own', message: 'x' }],
    [Object.assign(new Error('x'), { code: 7 }), { class: 'Error', message: 'x', code: '7' }],
    [new Error('a\u0000b\ud800'), { class: 'Error', message: 'a\ufffdb\ufffd' }],
  ])('case %#', (thrown, expected) => {
    const { stack, ...report } = reportError(thrown)
    expect(report).toEqual(expected)
    expect(typeof stack === 'string').toBe(thrown instanceof Error)
  })

  test('and is not too long', () => {
    expect(reportError(new Error('x'.repeat(10_000))).message).toHaveLength(4_001)
    const stack = `Error: x\n${`    at ${'f'.repeat(500)} (a.ts:1:1)\n`.repeat(10)}`
    expect(reportError(Object.assign(new Error('x'), { stack })).stack).toHaveLength(2_001)
  })

  test('with all frames of an error whose message was changed', () => {
    const error = new Error('x')
    const { stack } = reportError(error)
    error.message = `while sending: ${'x'.repeat(500)}`
    expect(reportError(error).stack).toBe(stack)
  })
})

describe('the context', () => {
  const context = (more: Partial<Delivery> = {}, deadline: number | null = null): DeliveryContext =>
    new DeliveryContext(delivery('A', { payload: { secret: 1 }, ...more }), deadline)

  test('tells all about message and run', () => {
    expect(context({ retryCount: 2, scheduledAt: 5, idempotencyKey: 'k', metadata: { m: 1 } }, 9)).toMatchObject({
      id: 'id-of-A',
      messageId: 'id-of-A',
      message: { type: 'A', payload: { secret: 1 } },
      headers: { 'message-type': 'A' },
      transportName: 'supabase',
      transport: 'supabase',
      queueName: 'default',
      priority: 5,
      createdAt: new Date(1_000),
      availableAt: new Date(2_000),
      scheduledAt: new Date(5),
      idempotencyKey: 'k',
      metadata: { m: 1 },
      retryCount: 2,
      maxRetries: 3,
      attempt: 3,
      deadline: new Date(9),
    })
    expect(context().scheduledAt).toBeNull()
    expect(context().deadline).toBeNull()
  })

  test('has one signal, aborted before or after it is asked for', () => {
    const early = context()
    early.abort('why')
    early.abort('again')
    expect(early.signal.aborted).toBe(true)
    expect(early.signal.reason).toBe('why')
    const late = context()
    const { signal } = late
    expect(signal.aborted).toBe(false)
    late.abort('why')
    expect(late.signal).toBe(signal)
    expect(signal.reason).toBe('why')
  })

  test('shows no payload as JSON, and logs with its facts', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const one = context()
    expect(JSON.stringify(one)).not.toContain('secret')
    expect(JSON.parse(JSON.stringify(one))).toMatchObject({ id: 'id-of-A', type: 'A', attempt: 1 })
    one.logger.warn('look')
    expect(one.logger).toBe(one.logger)
    expect(warn.mock.calls[0]?.[0]).toContain('messageId="id-of-A" messageType="A" transport="supabase" attempt=1')
    warn.mockRestore()
  })
})
