import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { discard, HandlerError, HandlerRegistry, type Logger, setLogger, snooze } from '../index.js'
import { delivery, freshProcess } from '../testing/fakes/fake-core.js'
import {
  errorClassificationMiddleware,
  loggingMiddleware,
  type Measurement,
  performanceMiddleware,
  validationMiddleware,
} from '../utils.js'
import { DeliveryContext } from './context.js'
import { type Execution, execute } from './executor.js'

let registry: HandlerRegistry
let handler: () => unknown
let lines: Array<[level: string, message: string, fields: object | undefined]>

const memory: Logger = {
  debug: (message, fields) => void lines.push(['debug', message, fields]),
  info: (message, fields) => void lines.push(['info', message, fields]),
  warn: (message, fields) => void lines.push(['warn', message, fields]),
  error: (message, fields) => void lines.push(['error', message, fields]),
}

beforeEach(() => {
  freshProcess()
  lines = []
  setLogger(memory)
  registry = new HandlerRegistry()
  handler = vi.fn()
  registry.register('A', () => handler())
})

const run = async (payload: Record<string, unknown> = {}): Promise<Execution> =>
  execute(registry, new DeliveryContext(delivery('A', { payload }), null), 0)

describe('the chain', () => {
  test('wraps the handlers, the first one outermost', async () => {
    const order: string[] = []
    for (const name of ['outer', 'inner']) {
      registry.use(async (envelope, context, next) => {
        expect(envelope).toBe(context)
        order.push(`${name} in`)
        const result = await next()
        order.push(`${name} out`)
        return result
      })
    }
    handler = () => order.push('handler')
    expect(await run()).toEqual({})
    expect(order).toEqual(['outer in', 'inner in', 'handler', 'inner out', 'outer out'])
  })

  test("a handler's outcome counts though a middleware forgets to return it", async () => {
    registry.use(async (_envelope, _context, next) => void (await next()))
    handler = () => snooze(5)
    expect((await run()).settlement).toEqual({ as: 'snoozed', delay: 5, handled: [] })
  })

  test('a middleware may end it, swallow an error, fail by itself, but not go on twice', async () => {
    let takeBack = registry.use(async () => discard('not today'))
    expect((await run()).settlement).toEqual({ as: 'discarded', reason: 'not today' })
    expect(handler).not.toHaveBeenCalled()
    takeBack()

    handler = () => Promise.reject(new Error('x'))
    takeBack = registry.use((_envelope, _context, next) => next().catch(() => undefined))
    expect(await run()).toEqual({})
    takeBack()

    handler = () => 1
    takeBack = registry.use(async (_envelope, _context, next) => {
      await next()
      throw new HandlerError('afterwards', false)
    })
    expect((await run()).settlement).toMatchObject({ as: 'failed', retryable: false, handled: ['A'] })
    takeBack()

    registry.use(async (_envelope, _context, next) => {
      await next()
      await next()
    })
    expect((await run()).settlement).toMatchObject({ error: { message: 'a middleware called next() twice' } })
  })

  test('a middleware that forgets next() fails the message, which no handler has seen', async () => {
    let takeBack = registry.use(async () => undefined)
    expect((await run()).settlement).toMatchObject({
      as: 'failed',
      retryable: false,
      error: { message: expect.stringContaining('neither called next() nor returned snooze() or discard()') },
    })
    expect(handler).not.toHaveBeenCalled()
    takeBack()

    takeBack = registry.use(async (_envelope, context) => void context.snooze(5))
    expect((await run()).settlement).toMatchObject({ as: 'snoozed', delay: 5 })
    takeBack()

    registry.use((_envelope, _context, next) => next().catch(() => undefined))
    registry.use(async () => undefined)
    expect(await run()).toEqual({})
  })

  test('a next() that is not awaited is awaited all the same', async () => {
    registry.use(async (_envelope, _context, next) => void next())
    handler = () => new Promise((_, reject) => setImmediate(() => reject(new Error('late'))))
    expect((await run()).settlement).toMatchObject({ as: 'failed', error: { message: 'late' } })
    handler = async () => snooze(5)
    expect((await run()).settlement).toMatchObject({ as: 'snoozed', delay: 5 })
  })

  test("a handler's own word counts also when a middleware wraps its error", async () => {
    registry.clear()
    registry.register('A', { handle: () => Promise.reject(new Error('x')), classifyError: () => false })
    registry.use((_envelope, _context, next) =>
      next().catch((cause) => {
        throw new Error('wrapped', { cause })
      }),
    )
    expect((await run()).settlement).toMatchObject({ retryable: false, error: { message: 'wrapped' } })
  })
})

test('logging: begin, end, failure, never the payload', async () => {
  registry.use(loggingMiddleware())
  await run({ secret: 'hidden' })
  handler = () => Promise.reject(new RangeError('bad'))
  await run({ secret: 'hidden' })
  expect(lines.map(([level, message]) => `${level} ${message}`)).toEqual([
    'debug handling',
    'debug handled',
    'debug handling',
    'warn failed',
  ])
  expect(lines[3]?.[2]).toMatchObject({
    messageId: 'id-of-A',
    type: 'A',
    attempt: 1,
    errorClass: 'RangeError',
    error: 'bad',
  })
  expect(JSON.stringify(lines)).not.toContain('hidden')
  registry.clear()
  registry.register('A', () => 1)
  registry.use(loggingMiddleware({ logger: { ...memory, debug: vi.fn() } }))
  await run()
  expect(lines).toHaveLength(4)
})

test('validation: by schema of the type, or that it is a message', async () => {
  registry.use(validationMiddleware({ 'A*': z.object({ n: z.number() }) }))
  expect(await run({ n: 1 })).toEqual({})
  expect((await run({ n: 'x' })).settlement).toMatchObject({
    retryable: false,
    error: { class: 'MessageValidationError' },
  })
  registry.use(validationMiddleware())
  expect(await run({ n: 1 })).toEqual({})
})

describe('error classification', () => {
  test.each([
    [undefined, new Error('x'), true],
    [undefined, Object.assign(new Error('x'), { status: 404 }), false],
    [false, new Error('x'), false],
    [true, Object.assign(new Error('x'), { status: 404 }), true],
  ])('%s', async (verdict, error, retryable) => {
    registry.use(errorClassificationMiddleware(() => verdict))
    handler = () => Promise.reject(error)
    const { settlement, error: thrown } = await run()
    expect(settlement).toMatchObject({ retryable, error: { class: 'HandlerError', message: 'x' } })
    expect(thrown).toMatchObject({ retryable, cause: error })
  })

  test('keeps the wait, and errors that are clear already', async () => {
    registry.use(errorClassificationMiddleware())
    handler = () => Promise.reject(Object.assign(new Error('x'), { status: 429, retryAfter: 2 }))
    expect((await run()).settlement).toMatchObject({ retryable: true, retryAfter: 2_000 })
    const clear = new HandlerError('no', false)
    handler = () => Promise.reject(clear)
    expect((await run()).error).toBe(clear)
    registry.use(validationMiddleware({ A: z.object({ n: z.number() }) }))
    expect((await run()).settlement).toMatchObject({ error: { class: 'MessageValidationError' } })
  })
})

test('performance: every message is measured, slow ones are logged', async () => {
  // On a busy machine anything may be slow.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const measured: Measurement[] = []
  registry.use(performanceMiddleware({ slowerThan: 5, onMeasure: (one) => measured.push(one) }))
  await run()
  handler = () => {
    vi.advanceTimersByTime(10)
    throw new Error('x')
  }
  await run()
  expect(measured).toMatchObject([
    { messageId: 'id-of-A', type: 'A', transport: 'supabase', attempt: 1, success: true },
    { success: false },
  ])
  expect(measured.map(({ duration }) => duration)).toEqual([0, 10])
  expect(lines).toMatchObject([['warn', 'slow message', { success: false }]])
  registry.use(performanceMiddleware())
  await run()
})
