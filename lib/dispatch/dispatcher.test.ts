import { beforeEach, describe, expect, test, vi } from 'vitest'
import { getDuplicateAttempts } from '../admin.js'
import {
  ConfigurationError,
  type Dispatcher,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getConfig,
  getDispatcher,
  MessageValidationError,
  registerTransport,
  SymphonyDispatcher,
  setDispatcher,
  TransportError,
} from '../index.js'
import { freshProcess, nativeError, stored, theCore, turn } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)

const message = { type: 'A', payload: { n: 1 } }

function requests(call = 0): unknown[] {
  return JSON.parse(theCore().dispatched[call] ?? '[]')
}

describe('dispatch', () => {
  test('returns dates and one entry per transport', async () => {
    const result = await dispatch(message, { priority: 7, scheduledAt: new Date(5_000), idempotencyKey: 'k' })
    const entry = {
      messageId: 'id-of-A',
      status: 'queued',
      transport: 'supabase',
      queue: 'default',
      priority: 7,
      availableAt: new Date(1_000),
      scheduledAt: new Date(5_000),
      idempotencyKey: 'k',
    }
    expect(result).toEqual({ ...entry, messages: [entry] })
    expect(requests()).toEqual([{ ...message, options: { priority: 7, scheduledAt: 5_000, idempotencyKey: 'k' } }])
  })

  test('leaves out what was not given', async () => {
    await dispatch(message, { queue: undefined })
    await dispatch(message)
    expect(theCore().dispatched).toEqual(['[{"type":"A","payload":{"n":1}}]', '[{"type":"A","payload":{"n":1}}]'])
  })

  test('copies the payload at the call', async () => {
    const payload = { n: 1 }
    const done = dispatch({ type: 'A', payload })
    payload.n = 2
    await done
    expect(requests()).toEqual([{ type: 'A', payload: { n: 1 } }])
  })

  test('normalises times', async () => {
    await dispatch(message, { delay: '5m' })
    await dispatch(message, { delay: 20, scheduledAt: '2030-01-01T00:00:00Z' })
    await dispatch(message, { scheduledAt: 77, transport: ['a', 'b'], headers: { x: '1' }, metadata: { m: 1 } })
    expect(requests(0)).toEqual([{ ...message, options: { delay: 300_000 } }])
    expect(requests(1)).toEqual([{ ...message, options: { delay: 20, scheduledAt: 1_893_456_000_000 } }])
    expect(requests(2)).toMatchObject([{ options: { scheduledAt: 77, transport: ['a', 'b'], headers: { x: '1' } } }])
  })

  test.each([
    [{ scheduledAt: new Date(Number.NaN) }, 'SYMPHONY_INVALID_SCHEDULED_AT', 'options.scheduledAt'],
    [{ scheduledAt: 1_796_072_538 }, 'SYMPHONY_INVALID_SCHEDULED_AT', 'options.scheduledAt'],
    [{ delay: 'soon' }, 'SYMPHONY_INVALID_DELAY', 'options.delay'],
    [{ priority: Number.NaN }, 'SYMPHONY_INVALID_PRIORITY', 'options.priority'],
    [{ maxRetries: Number.POSITIVE_INFINITY }, 'SYMPHONY_INVALID_MAX_RETRIES', 'options.maxRetries'],
    [{ unknown: Number.NaN }, 'SYMPHONY_UNKNOWN_OPTION', 'options.unknown'],
    [{ unknown: () => 1 }, 'SYMPHONY_UNKNOWN_OPTION', 'options.unknown'],
    [{ headers: { a: 1n } }, 'SYMPHONY_INVALID_HEADERS', 'options.headers.a'],
    [{ idempotencyKey: 'a\u0000' }, 'SYMPHONY_INVALID_IDEMPOTENCY_KEY', 'options.idempotencyKey'],
    ['text', 'SYMPHONY_UNKNOWN_OPTION', 'options'],
    [[], 'SYMPHONY_UNKNOWN_OPTION', 'options'],
    [new Map([['delay', '5m']]), 'SYMPHONY_UNKNOWN_OPTION', 'options'],
    [Promise.resolve({ delay: '5m' }), 'SYMPHONY_UNKNOWN_OPTION', 'options'],
  ])('refuses options that JSON cannot carry: %s', async (options, code, path) => {
    await expect(dispatch(message, options as never)).rejects.toMatchObject({ code, path })
    await expect(dispatchToTransports(message, ['b'], options as never)).rejects.toMatchObject({ code, path })
  })

  test('refuses an invalid message, and sends nothing', async () => {
    await expect(dispatch(null as never)).rejects.toThrow(MessageValidationError)
    await expect(dispatch({ type: 'A', payload: [] })).rejects.toThrow(MessageValidationError)
    await dispatch(message)
    expect(theCore().dispatched).toHaveLength(1)
  })

  test("throws the core's refusal as its class, with an async stack", async () => {
    await dispatch(message)
    const failure = { class: 'ConfigurationError', code: 'SYMPHONY_UNKNOWN_TRANSPORT', message: 'no such' }
    theCore().answer = () => [{ error: failure }]
    const error = await dispatchFromHere().catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ code: 'SYMPHONY_UNKNOWN_TRANSPORT' })
    expect((error as Error).stack).toContain('dispatchFromHere')
  })

  async function dispatchFromHere(): Promise<unknown> {
    return await dispatch(message)
  }

  test('a call that fails as a whole rejects each dispatch in it', async () => {
    await dispatch(message)
    theCore().answer = () => {
      throw nativeError({ class: 'TransportError', code: 'SYMPHONY_CONNECTION_FAILED', message: 'down' })
    }
    const both = await Promise.allSettled([dispatch(message), dispatch(message)])
    for (const one of both) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'SYMPHONY_CONNECTION_FAILED' } })
      expect((one as PromiseRejectedResult).reason).toBeInstanceOf(TransportError)
    }
    const [first, second] = both as PromiseRejectedResult[]
    expect(first?.reason).not.toBe(second?.reason)
  })

  test('a fan-out tells which transport failed', async () => {
    await dispatch(message)
    const error = { class: 'TransportError', code: 'SYMPHONY_TIMEOUT', message: 'slow' }
    theCore().answer = ([request]) => {
      const { ok } = stored(request) as { ok: object }
      return [{ ok: { ...ok, messages: [ok, { transport: 'b', error }] } } as never]
    }
    const { messages } = await dispatch(message)
    expect(messages[0]).toMatchObject({ transport: 'supabase', status: 'queued' })
    expect(messages[1]).toMatchObject({ transport: 'b', error: { code: 'SYMPHONY_TIMEOUT' } })

    const results = await dispatchToTransports(message, ['supabase', 'b'])
    expect(results).toMatchObject([{ success: true }, { success: false, transport: 'b' }])
    expect(requests(2)).toMatchObject([{ options: { transport: ['supabase', 'b'] } }])
  })
})

describe('group commit', () => {
  test('dispatches of the same moment share one call', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, n) => dispatch({ type: 'A', payload: { n } })))
    expect(theCore().dispatched).toHaveLength(1)
    expect(requests()).toHaveLength(50)
  })

  test('two calls at a time; what comes meanwhile waits and goes together, 1,000 at most', async () => {
    await dispatch(message)
    const gates: Array<() => void> = []
    theCore().answer = async (all) => {
      await new Promise<void>((open) => gates.push(open))
      return all.map((request) => stored(request))
    }
    const sizes = (): number[] =>
      theCore()
        .dispatched.slice(1)
        .map((text) => JSON.parse(text).length)
    const all = [dispatch(message)]
    await turn()
    all.push(dispatch(message), dispatch(message))
    await turn()
    for (let n = 0; n < 1_001; n += 1) all.push(dispatch(message))
    await turn()
    expect(sizes()).toEqual([1, 2])
    gates[0]?.()
    await turn()
    expect(sizes()).toEqual([1, 2, 1_000])
    gates[1]?.()
    await turn()
    expect(sizes()).toEqual([1, 2, 1_000, 1])
    for (const open of gates) open()
    expect(await Promise.all(all)).toHaveLength(1_004)
  })
})

describe('the dispatcher of the process', () => {
  test('is a SymphonyDispatcher, also for a copy of the module', async () => {
    const dispatcher = getDispatcher()
    expect(dispatcher).toBeInstanceOf(SymphonyDispatcher)
    vi.resetModules()
    const copy = await import('../index.js')
    expect(copy.getDispatcher()).toBe(dispatcher)
    expect(dispatcher instanceof copy.SymphonyDispatcher).toBe(true)
  })

  test('can be replaced', async () => {
    const mine = {
      dispatch: vi.fn(),
      dispatchBatch: vi.fn(),
      dispatchToTransports: vi.fn(),
      registerTransport: vi.fn(),
    }
    setDispatcher(mine as Dispatcher)
    await dispatch(message, { priority: 1 })
    await dispatchBatch([message])
    await dispatchToTransports(message, ['a'])
    registerTransport('x', { type: 'memory' })
    expect(mine.dispatch).toHaveBeenCalledWith(message, { priority: 1 })
    expect(mine.dispatchBatch).toHaveBeenCalledWith([message], undefined)
    expect(mine.dispatchToTransports).toHaveBeenCalledWith(message, ['a'], undefined)
    expect(mine.registerTransport).toHaveBeenCalledWith('x', { type: 'memory' })
    setDispatcher()
    expect(getDispatcher()).toBeInstanceOf(SymphonyDispatcher)
  })

  test('adds transports at run time', () => {
    registerTransport('reports', { type: 'postgres', queue: 'reports' })
    expect(getConfig().transports.reports).toEqual({ type: 'postgres', queue: 'reports' })
  })

  test('counts refused duplicates', async () => {
    expect(await getDuplicateAttempts('k')).toBe(99)
    expect(theCore().calls).toEqual([['duplicateAttempts', 'k']])
  })
})
