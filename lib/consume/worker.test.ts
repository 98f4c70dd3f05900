import { EventEmitter, errorMonitor } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigurationError, registerHandler, setConfig, Worker, type WorkerOptions } from '../index.js'
import { delivery, type FakeConsumer, freshProcess, nativeError, theCore, turn } from '../testing/fakes/fake-core.js'

beforeEach(() => {
  freshProcess()
  setConfig({})
  registerHandler('A', () => 1)
})
afterEach(() => {
  vi.restoreAllMocks()
})

const consumer = (): FakeConsumer => theCore().consumers.at(-1) as FakeConsumer

test('takes the options of a drain and its own', async () => {
  const worker = new Worker({ batchSize: 50, pollInterval: '2s', shutdownTimeout: 10 })
  const done = worker.run()
  expect(worker.run()).toBe(done)
  expect(theCore().consumers).toHaveLength(1)
  expect(consumer().options).toEqual({
    mode: 'run',
    types: ['A'],
    batchSize: 50,
    pollInterval: 2_000,
    shutdownTimeout: 10,
    observe: false,
  })
  consumer().finish({ claimed: 2 })
  expect(await done).toMatchObject({ claimed: 2 })
})

test.each([{ pollInterval: 'x' }, { shutdownTimeout: -1 }, { handleSignals: 1 }, { speed: 1 }])(
  'a bad option is refused at once: %j',
  (options) => {
    expect(() => new Worker(options as never)).toThrow(ConfigurationError)
  },
)

test('a second start() is named in one line, and starts nothing', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const worker = new Worker()
  void worker.start()
  expect(warn).not.toHaveBeenCalled()
  void worker.start()
  expect(warn.mock.calls).toEqual([[expect.stringContaining('start() of a worker that runs already does nothing')]])
  expect(theCore().consumers).toHaveLength(1)
})

describe('events', () => {
  test('are passed on, and a listener that fails breaks nothing', async () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const seen: unknown[] = []
    const worker = new Worker()
    const late = vi.fn()
    worker
      .on('started', () => seen.push('started'))
      .on('claimed', ({ count }) => seen.push(count))
      .once('deadLettered', ({ id, error: why }) => seen.push([id, why?.message]))
      .on('idle', () => {
        throw new Error('mine')
      })
      .on('stopped', ({ stoppedBy }) => seen.push(stoppedBy))
      .on('completed', late)
      .off('completed', late)
    const done = worker.run()
    const dead = { event: 'deadLettered', id: '1', error: { class: 'E', message: 'm' } }
    consumer().emit({ event: 'claimed', count: 3 }, { event: 'completed' }, { event: 'idle' }, dead, dead)
    consumer().finish()
    await done
    expect(seen).toEqual(['started', 3, ['1', 'm'], 'empty'])
    expect(late).not.toHaveBeenCalled()
    expect(error).toHaveBeenCalledOnce()
  })

  test('about single messages are asked for only while somebody wants them', async () => {
    const worker = new Worker()
    const heard = vi.fn()
    worker.on('completed', heard)
    void worker.start()
    expect(consumer().options).toMatchObject({ observe: true })
    worker.off('completed', heard).on('idle', heard).on('lost', heard)
    expect(consumer().observing).toEqual([false, false, true])
  })

  test('an error is logged when nobody listens', () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const worker = new Worker()
    void worker.start()
    consumer().emit({ event: 'error', code: 'SYMPHONY_TIMEOUT', message: 'slow' })
    expect(error).toHaveBeenCalledOnce()
    const heard = vi.fn()
    worker.on('error', heard)
    consumer().emit({ event: 'error', code: 'SYMPHONY_TIMEOUT', message: 'slow' })
    expect(heard).toHaveBeenCalledWith({ code: 'SYMPHONY_TIMEOUT', message: 'slow' })
    expect(error).toHaveBeenCalledOnce()
  })
})

test('a listener of an event that does not exist is refused, with what was meant', () => {
  const worker = new Worker()
  for (const listen of ['on', 'once', 'prependListener'] as const) {
    expect(() => worker[listen]('deadLetered' as 'error', () => undefined)).toThrow(
      /^event deadLetered of a worker: unknown event; the events are started, .*; did you mean "deadLettered"\?$/,
    )
  }
  expect(worker.eventNames()).not.toContain('deadLetered')
  const plain: EventEmitter = worker as never
  plain.on('newListener', () => undefined).on(errorMonitor, () => undefined)
})

describe('starting', () => {
  test('resolves once the worker has looked for messages, also when it is called again', async () => {
    const worker = new Worker()
    let started = 0
    const starting = [worker.start(), worker.start()].map((it) => it.then(() => (started += 1)))
    await turn()
    expect([started, worker.stats().state]).toEqual([0, 'running'])
    consumer().emit({ event: 'idle' })
    await Promise.all(starting)
    expect(started).toBe(2)
    await worker.start()
    expect(theCore().consumers).toHaveLength(1)
    consumer().finish({ stoppedBy: 'stopped' })
    expect(await worker.stop()).toMatchObject({ stoppedBy: 'stopped' })
  })

  test('rejects if it cannot be started; what fails later is an event, or logged', async () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const failure = nativeError({ class: 'TransportError', code: 'SYMPHONY_CONNECTION_FAILED', message: 'away' })
    const worker = new Worker()
    const refused = worker.start()
    consumer().fail(failure)
    await expect(refused).rejects.toMatchObject({ code: 'SYMPHONY_CONNECTION_FAILED' })
    for (const heard of [undefined, vi.fn()]) {
      if (heard) worker.on('error', heard)
      const started = worker.start()
      consumer().emit({ event: 'idle' })
      await started
      consumer().fail(failure)
      await turn()
      expect(worker.stats().state).toBe('stopped')
      if (heard) expect(heard).toHaveBeenCalledWith({ code: 'SYMPHONY_CONNECTION_FAILED', message: 'away' })
      else expect(String(error.mock.calls)).toMatch(/the worker ended with an error.*away/s)
    }
    expect(error).toHaveBeenCalledOnce()
  })

  test('a worker is an event emitter of Node.js, also after all listeners were removed', async () => {
    const worker = new Worker()
    expect(worker).toBeInstanceOf(EventEmitter)
    worker.on('completed', () => undefined).removeAllListeners()
    void worker.start()
    expect(consumer().options).toMatchObject({ observe: false })
    worker.prependOnceListener('completed', () => undefined)
    expect(consumer().observing.at(-1)).toBe(true)
    consumer().emit({ event: 'completed', id: '1' })
    expect(consumer().observing.at(-1)).toBe(false)
  })
})

describe('stopping', () => {
  test('drains, and answers what was done', async () => {
    const worker = new Worker()
    expect(await worker.stop()).toBeUndefined()
    void worker.start()
    const stopped = worker.stop()
    expect(consumer().stops).toEqual([['stopped', false]])
    consumer().finish({ stoppedBy: 'stopped' })
    expect(await stopped).toMatchObject({ stoppedBy: 'stopped' })
    expect(await worker.stop()).toMatchObject({ stoppedBy: 'stopped' })
    expect(consumer().stops).toHaveLength(1)
  })

  test('by force, or after a time of its own', async () => {
    const worker = new Worker()
    void worker.start()
    void worker.stop({ force: true })
    expect(consumer().stops).toEqual([['stopped', true]])
    consumer().finish()
    await turn()

    void worker.start()
    const stopped = worker.stop({ timeout: 10 })
    await vi.waitUntil(() => consumer().stops.length === 2)
    expect(consumer().stops).toEqual([
      ['stopped', false],
      ['stopped', true],
    ])
    consumer().finish()
    await stopped
    await expect(worker.stop({ timeout: 'x' })).rejects.toThrow(ConfigurationError)
  })

  test('by the first signal, forced by the second; the listeners go with it', async () => {
    const before = process.listenerCount('SIGTERM')
    const worker = new Worker({ exitGrace: false })
    const done = worker.run()
    process.emit('SIGTERM')
    process.emit('SIGINT')
    expect(consumer().stops).toEqual([
      ['signal', false],
      ['signal', true],
    ])
    consumer().finish()
    await done
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  test.each<[WorkerOptions, 'run' | 'start', boolean]>([
    [{}, 'run', true],
    [{}, 'start', false],
    [{ handleSignals: false }, 'run', false],
    [{ handleSignals: true }, 'start', true],
  ])('a worker with %j and %s() listens to signals: %s', async (options, call, listens) => {
    const before = process.listenerCount('SIGTERM')
    const worker = new Worker(options)
    void worker[call]()
    expect(process.listenerCount('SIGTERM') - before).toBe(Number(listens))
    consumer().finish()
    await turn()
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  test('at the end of a block', async () => {
    const worker = new Worker()
    void worker.start()
    const disposed = worker[Symbol.asyncDispose]()
    consumer().finish()
    await disposed
    expect(consumer().stops).toHaveLength(1)
  })

  test('a worker whose core fails rejects, and can start again', async () => {
    const worker = new Worker()
    const done = worker.run()
    consumer().fail(nativeError({ class: 'TransportError', code: 'SYMPHONY_MIGRATION_MISSING', message: 'm' }))
    await expect(done).rejects.toMatchObject({ code: 'SYMPHONY_MIGRATION_MISSING' })
    expect(worker.stats().state).toBe('stopped')
    void worker.start()
    expect(theCore().consumers).toHaveLength(2)
  })
})

describe('figures', () => {
  test('stats before and while it runs', async () => {
    const worker = new Worker()
    expect(worker.stats()).toMatchObject({ state: 'idle', claimed: 0, running: 0, averageProcessingTime: 0, uptime: 0 })
    registerHandler('A', () => new Promise(() => undefined), { name: 'endless' })
    void worker.start()
    consumer().deliver(0, [delivery('A')])
    await turn()
    expect(worker.stats()).toMatchObject({ state: 'running', claimed: 4, running: 1, averageProcessingTime: 2.5 })
    void worker.stop()
    expect(worker.stats().state).toBe('stopping')
  })

  test('health: problems in words', async () => {
    const worker = new Worker()
    theCore().answers.unhandled = []
    expect(await worker.health()).toMatchObject({ status: 'error', running: false })
    void worker.start()
    expect(await worker.health()).toMatchObject({ status: 'ok', running: true, problems: [], lastError: null })
    theCore().answers.unhandled = [{ type: 'X', transport: 't', queue: 'q', count: 3 }]
    const worried = await worker.health()
    expect(worried).toMatchObject({ status: 'warning', problems: ['3 messages of type X wait, no handler here'] })
    expect(worried.memoryUsage).toBeGreaterThan(0)
    theCore().answers.unhandled = new Error('down')
    expect(await worker.health()).toMatchObject({
      status: 'warning',
      unhandled: [],
      problems: [expect.stringContaining('down')],
    })
    worker.on('error', () => undefined)
    consumer().emit({ event: 'error', code: 'C', message: 'no database' })
    expect(await worker.health()).toMatchObject({ status: 'error', lastError: { code: 'C' } })
    const now = Date.now()
    vi.spyOn(Date, 'now').mockReturnValue(now + 61_000)
    expect((await worker.health()).status).toBe('warning')
  })

  test('health: an error is over as soon as the worker works again', async () => {
    const info = vi.spyOn(console, 'info').mockReturnValue()
    setConfig({ logging: { level: 'info' } })
    const worker = new Worker()
    theCore().answers.unhandled = []
    worker.on('error', () => undefined)
    void worker.start()
    const down = { event: 'error', code: 'C', message: 'no database' }
    consumer().emit(down)
    expect(await worker.health()).toMatchObject({ status: 'error', problems: ['no database'] })
    consumer().emit({ event: 'recovered' })
    expect(await worker.health()).toMatchObject({ status: 'ok', problems: [], lastError: { code: 'C' } })
    expect(info.mock.calls).toEqual([[expect.stringContaining('the worker works again')]])
    consumer().emit(down)
    expect(await worker.health()).toMatchObject({ status: 'error' })
  })
})
