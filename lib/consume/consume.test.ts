import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  ConfigurationError,
  type ConsumeOptions,
  type ConsumeResult,
  consumeBatch,
  HandlerRegistry,
  registerHandler,
  setConfig,
  TransportError,
} from '../index.js'
import { delivery, type FakeConsumer, freshProcess, nativeError, theCore, turn } from '../testing/fakes/fake-core.js'

beforeEach(() => {
  freshProcess()
  setConfig({})
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Starts a drain, as far as the fake core. */
function start(options: ConsumeOptions = {}): { consumer: FakeConsumer; done: Promise<ConsumeResult> } {
  const done = consumeBatch(options)
  const consumer = theCore().consumers.at(-1)
  if (consumer === undefined) throw new Error('no consumer')
  return { consumer, done }
}

const many = (count: number, type = 'A') =>
  Array.from({ length: count }, (_, n) => delivery(type, { id: `${type}${n}` }))

describe('options', () => {
  test('reach the core; what is absent stays absent', async () => {
    registerHandler('A', () => 1)
    const { consumer, done } = start({
      batchSize: 100,
      maxConcurrency: 20,
      messageLimit: 1_000,
      timeLimit: '50s',
      failureLimit: 3,
      transport: 'email',
      queues: ['high'],
    })
    expect(consumer.options).toEqual({
      mode: 'drain',
      transports: ['email'],
      queues: ['high'],
      types: ['A'],
      batchSize: 100,
      maxConcurrency: 20,
      messageLimit: 1_000,
      timeLimit: 50_000,
      failureLimit: 3,
      observe: false,
    })
    consumer.finish({ claimed: 3, inFlight: 0, runs: 3, handlerMillis: 5 })
    expect(await done).toEqual({ claimed: 3, drained: true, stoppedBy: 'empty' })
  })

  test('deadline and time limit: the earlier counts, and the handlers know it', async () => {
    let deadline: Date | null = null
    registerHandler('A', (_message, _envelope, context) => {
      deadline = context.deadline
    })
    const soon = Date.now() + 5_000
    const { consumer } = start({ deadline: new Date(soon), timeLimit: 60_000 })
    expect(consumer.options.timeLimit).toBeGreaterThan(4_000)
    expect(consumer.options.timeLimit).toBeLessThanOrEqual(5_000)
    consumer.deliver(0, many(1))
    await turn()
    expect(Math.abs(Number(deadline) - soon)).toBeLessThan(100)
    expect(start({ deadline: soon, timeLimit: 1_000 }).consumer.options.timeLimit).toBe(1_000)
    expect(start({ deadline: 1 }).consumer.options.timeLimit).toBe(0)
  })

  test.each([
    [{ batchSize: 0 }, 'batchSize'],
    [{ batchSize: 1.5 }, 'batchSize'],
    [{ maxConcurrency: '5' }, 'maxConcurrency'],
    [{ messageLimit: Number.NaN }, 'messageLimit'],
    [{ failureLimit: -1 }, 'failureLimit'],
    [{ timeLimit: 0 }, 'timeLimit'],
    [{ timeLimit: 'soon' }, 'timeLimit'],
    [{ deadline: new Date(Number.NaN) }, 'deadline'],
    [{ deadline: '2030' }, 'deadline'],
    [{ memoryLimit: '128X' }, 'memoryLimit'],
    [{ memoryLimit: 0 }, 'memoryLimit'],
    [{ transport: '' }, 'transport'],
    [{ transports: [] }, 'transports'],
    [{ transports: 'email' }, 'transports'],
    [{ queues: [1] }, 'queues'],
    [{ registry: {} }, 'registry'],
    [{ signal: {} }, 'signal'],
    [{ batchsize: 1 }, 'batchsize'],
  ])('a bad one is named: %j', async (options, key) => {
    const error = await consumeBatch(options as ConsumeOptions).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ message: expect.stringContaining(`options.${key}: `), details: { key } })
  })
})

describe('a handler that does not end', () => {
  const never = () => new Promise(() => undefined)
  const warned = (options: ConsumeOptions): ReturnType<typeof vi.spyOn> => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    registerHandler('A', never)
    const { consumer } = start(options)
    consumer.deliver(0, many(1))
    vi.advanceTimersByTime(10 * 60_000)
    return warn
  }
  afterEach(() => {
    vi.useRealTimers()
  })

  test('is named in one line by a drain without a limit', () => {
    expect(warned({}).mock.calls).toEqual([
      [expect.stringMatching(/a handler has run for 60 s, and this drain has no limit.*timeLimit.*messageType="A"/)],
    ])
  })

  test('is left to the limit of a drain that has one', () => {
    expect(warned({ timeLimit: '1h' })).not.toHaveBeenCalled()
  })
})

describe('types', () => {
  test('follow the registry', async () => {
    const registry = new HandlerRegistry()
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const { consumer, done } = start({ registry })
    expect(consumer.options.types).toEqual([])
    expect(warn.mock.calls[0]?.[0]).toContain('no handler is registered')
    registry.register('A', () => 1)
    registry.register('*', () => 1)
    consumer.finish()
    await done
    registry.register('late', () => 1)
    expect(consumer.types).toEqual([['A'], null])
  })

  test('an unknown one is handed back with a delay', async () => {
    registerHandler('Em*', () => 1)
    const { consumer } = start()
    consumer.deliver(0, [delivery('Other'), delivery('Email')])
    await turn()
    expect(consumer.lines).toContainEqual([0, 0, 0, { as: 'released', delay: 60_000 }])
    expect(consumer.lines).toHaveLength(2)
  })
})

describe('stopping', () => {
  test('by an abort signal, also one that was aborted before', async () => {
    const controller = new AbortController()
    const { consumer, done } = start({ signal: controller.signal })
    controller.abort()
    expect(consumer.stops).toEqual([['signal', false]])
    consumer.finish({ stoppedBy: 'signal' })
    await done
    expect(start({ signal: AbortSignal.abort() }).consumer.stops).toEqual([['signal', false]])
  })

  test('by the memory limit', async () => {
    registerHandler('A', () => 1)
    const { consumer } = start({ memoryLimit: '1M' })
    consumer.deliver(0, many(1))
    await turn()
    expect(consumer.stops).toEqual([['memoryLimit', false]])
    const roomy = start({ memoryLimit: '1000G' }).consumer
    roomy.deliver(0, many(1))
    await turn()
    expect(roomy.stops).toEqual([])
  })

  test('by an error of the core', async () => {
    const { consumer, done } = start()
    consumer.fail(nativeError({ class: 'TransportError', code: 'SYMPHONY_MIGRATION_MISSING', message: 'migrate()' }))
    await expect(done).rejects.toThrow(TransportError)
  })
})
