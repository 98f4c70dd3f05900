import type { EventEmitter } from 'node:events'
import {
  ConfigurationError,
  createSymphony,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  type MessageEvent,
  setConfig,
  setLogger,
  snooze,
  Worker,
  type WorkerEvents,
  type WorkerOptions,
} from '@leadmap/symphony'
import { getLogger } from '@leadmap/symphony/utils'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0 } } })

beforeEach(() => emptyTables(database))

/** A worker that looks often and is gone after the test. */
function createWorker(registry: HandlerRegistry, options: WorkerOptions = {}): Worker {
  const worker = new Worker({ registry, pollInterval: 50, handleSignals: false, ...options })
  onTestFinished(async () => void (await worker.stop({ force: true })))
  return worker
}

/** The next event of a name. */
const next = <Name extends keyof WorkerEvents>(worker: Worker, name: Name) =>
  new Promise<WorkerEvents[Name]>((resolve) =>
    (worker as unknown as EventEmitter).once(name, (...event) => resolve(event as WorkerEvents[Name])),
  )

/** A promise and what resolves it. */
function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('a worker', () => {
  test('handles what waits and what comes, until it is stopped', async () => {
    const handled: number[] = []
    const registry = new HandlerRegistry()
    registry.register('Any', (message) => void handled.push(message.payload.n))
    await dispatch({ type: 'Any', payload: { n: 1 } })
    const worker = createWorker(registry)
    expect(worker.stats()).toMatchObject({ state: 'idle', claimed: 0, uptime: 0 })
    const first = next(worker, 'completed')
    const ended = worker.run()
    expect(worker.run()).toBe(ended)
    await first
    await next(worker, 'idle')
    const second = next(worker, 'completed')
    await dispatch({ type: 'Any', payload: { n: 2 } })
    await second
    expect(handled).toEqual([1, 2])
    expect(worker.stats()).toMatchObject({ state: 'running', claimed: 2, succeeded: 2, running: 0, runs: 2 })
    expect(await worker.stop()).toMatchObject({ claimed: 2, succeeded: 2, stoppedBy: 'stopped', queueDepth: 0 })
    expect(await ended).toEqual(await worker.stop())
    expect(worker.stats().state).toBe('stopped')
  })

  test('finds what is due again at one of its next polls', async () => {
    const registry = new HandlerRegistry()
    registry.register('Flaky', (_message, { attempt }) => {
      if (attempt === 1) throw new Error('once more')
    })
    for (let round = 0; round < 10; round += 1) {
      const worker = createWorker(registry)
      let looks = 0
      worker.on('retried', () => {
        looks = 0
      })
      worker.on('idle', () => {
        looks += 1
      })
      const completed = next(worker, 'completed')
      await dispatch({ type: 'Flaky', payload: {} })
      void worker.start()
      await completed
      expect(looks).toBeLessThan(5)
      await worker.stop()
    }
  })

  test('can be started again', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    for (let life = 0; life < 2; life += 1) {
      const completed = next(worker, 'completed')
      const ended = worker.run()
      await dispatch({ type: 'Any', payload: {} })
      await completed
      await worker.stop()
      expect(await ended).toMatchObject({ succeeded: 1 })
    }
  })

  test('that never started stops at once', async () => {
    expect(await createWorker(new HandlerRegistry()).stop()).toBeUndefined()
  })

  test('tells every step by events', async () => {
    const events: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, { attempt }) => {
      if (attempt === 1) throw new TypeError('once more')
    })
    registry.register('Bad', () => Promise.reject(Object.assign(new Error('gone'), { status: 410 })))
    registry.register('Later', () => snooze('1h'))
    const worker = createWorker(registry, { maxConcurrency: 1 })
    const note = (name: string) => (event?: object) => void events.push(name + describeEvent(event))
    for (const name of ['started', 'retried', 'completed', 'deadLettered', 'snoozed', 'stopped'] as const) {
      worker.on(name, note(name))
    }
    await dispatch({ type: 'Any', payload: {} }, { priority: 9 })
    await dispatch({ type: 'Bad', payload: {} }, { priority: 5 })
    await dispatch({ type: 'Later', payload: {} }, { priority: 1 })
    void worker.start()
    await expect.poll(() => events).toHaveLength(5)
    await worker.stop()
    expect(events[0]).toBe('started')
    expect(events.at(-1)).toBe('stopped')
    expect(events.slice(1, -1).sort()).toEqual([
      'completed Any supabase 1',
      'deadLettered Bad supabase 0 Error: gone',
      'retried Any supabase 0 after 0 TypeError: once more',
      'snoozed Later supabase 0 after 3600000',
    ])
  })

  test('is not broken by a listener that fails', async () => {
    const logged: string[] = []
    setLogger({ ...getLogger(), error: (message) => void logged.push(message) })
    onTestFinished(() => setLogger())
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    worker.on('completed', () => {
      throw new Error('listener')
    })
    void worker.start()
    await dispatchBatch([
      { type: 'Any', payload: {} },
      { type: 'Any', payload: {} },
    ])
    await expect.poll(() => worker.stats().succeeded).toBe(2)
    await expect.poll(() => logged).toContain('a listener of a worker event failed')
  })

  test('refuses bad options by name', () => {
    expect(() => new Worker({ pollInterval: 'often' })).toThrow(/pollInterval: got "often"/)
    expect(() => new Worker({ pollInterval: 0 })).toThrow(/pollInterval: got 0, wants .*, more than 0/)
    expect(() => new Worker({ exitGrace: true as never })).toThrow(/exitGrace: got true/)
    expect(() => new Worker({ handleSignals: 1 } as unknown as WorkerOptions)).toThrow(/handleSignals: got 1/)
    expect(() => new Worker({ concurrency: 1 } as WorkerOptions)).toThrow(ConfigurationError)
  })
})

describe('stop()', () => {
  test('lets running handlers end and hands back what was not started', async () => {
    await dispatchBatch(Array.from({ length: 10 }, (_, n) => ({ type: 'Any', payload: { n } })))
    const { open, opened } = gate()
    const started = gate()
    const registry = new HandlerRegistry()
    registry.register('Any', async (_message, { signal }) => {
      started.open()
      await opened
      expect(signal.aborted).toBe(false)
    })
    const worker = createWorker(registry, { maxConcurrency: 2, batchSize: 10 })
    void worker.start()
    await started.opened
    const stopped = worker.stop()
    const held = async () => (await storedMessages(database)).filter((row) => row.status === 'processing')
    await expect.poll(held).toHaveLength(2)
    expect(worker.stats()).toMatchObject({ state: 'stopping', running: 2 })
    open()
    expect(await stopped).toMatchObject({ claimed: 10, succeeded: 2, released: 8, stoppedBy: 'stopped' })
    const rows = await storedMessages(database)
    expect(rows.filter((row) => row.status === 'pending' && row.retry_count === 0)).toHaveLength(8)
  })

  test.each([
    ['its timeout', { timeout: 50 }],
    ['force', { force: true }],
  ])('aborts handlers that do not end, by %s', async (_how, options) => {
    await dispatch({ type: 'Any', payload: {} })
    const started = gate()
    let reason: unknown
    const registry = new HandlerRegistry()
    registry.register('Any', (_message, { signal }) => {
      started.open()
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      return new Promise(() => undefined)
    })
    const worker = createWorker(registry)
    void worker.start()
    await started.opened
    expect(await worker.stop(options)).toMatchObject({ claimed: 1, released: 1, succeeded: 0 })
    expect(reason).toMatchObject({ name: 'AbortError' })
    expect(await storedMessages(database)).toMatchObject([{ status: 'pending', retry_count: 0, last_error: null }])
  })

  test('waits no longer than shutdownTimeout by itself', async () => {
    await dispatch({ type: 'Any', payload: {} })
    const started = gate()
    const registry = new HandlerRegistry()
    registry.register('Any', () => {
      started.open()
      return new Promise(() => undefined)
    })
    const worker = createWorker(registry, { shutdownTimeout: '50ms' })
    void worker.start()
    await started.opened
    expect(await worker.stop()).toMatchObject({ released: 1 })
  })

  test('is what the end of an `await using` block does', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    let ended: Promise<unknown>
    {
      await using worker = createWorker(registry)
      ended = worker.run()
      await next(worker, 'idle')
    }
    expect(await ended).toMatchObject({ stoppedBy: 'stopped' })
  })
})

describe('health()', () => {
  test('reports the health of the worker and what nothing handles', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    expect(await worker.health()).toMatchObject({ status: 'error', state: 'idle', running: false })
    void worker.start()
    await next(worker, 'idle')
    expect(await worker.health()).toMatchObject({
      status: 'ok',
      state: 'running',
      running: true,
      processing: 0,
      memoryUsage: expect.any(Number),
      lastError: null,
      unhandled: [],
      problems: [],
    })
    await dispatchBatch(Array.from({ length: 3 }, () => ({ type: 'Unknown', payload: {} })))
    expect(await worker.health()).toMatchObject({
      status: 'warning',
      unhandled: [{ type: 'Unknown', transport: 'supabase', queue: 'default', count: 3 }],
      problems: ['3 messages of type Unknown wait, no handler here'],
    })
  })

  test('says when the database is in trouble, and the worker goes on when it is over', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    worker.on('error', () => undefined)
    void worker.start()
    await next(worker, 'idle')
    await database.query('ALTER SCHEMA symphony RENAME TO elsewhere')
    const [error] = await next(worker, 'error')
    expect(error).toMatchObject({ code: 'SYMPHONY_MIGRATION_MISSING' })
    expect(await worker.health()).toMatchObject({
      status: 'error',
      lastError: { code: 'SYMPHONY_MIGRATION_MISSING' },
    })
    const recovered = next(worker, 'recovered')
    await database.query('ALTER SCHEMA elsewhere RENAME TO symphony')
    const completed = next(worker, 'completed')
    await dispatch({ type: 'Any', payload: {} })
    await Promise.all([completed, recovered])
    expect(await worker.health()).toMatchObject({ status: 'ok', lastError: { code: 'SYMPHONY_MIGRATION_MISSING' } })
  })
})

describe('a running worker', () => {
  test('claims types that get a handler later', async () => {
    const registry = new HandlerRegistry()
    registry.register('Known', () => undefined)
    const worker = createWorker(registry)
    void worker.start()
    await dispatch({ type: 'Late', payload: {} })
    await next(worker, 'idle')
    expect(await storedMessages(database)).toMatchObject([{ status: 'pending' }])
    const completed = next(worker, 'completed')
    registry.register('Late', () => undefined)
    expect(await completed).toMatchObject([{ type: 'Late' }])
  })

  test('survives a change of the configuration', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    void worker.start()
    await next(worker, 'idle')
    setConfig({ defaultPriority: 6, transports: { supabase: { type: 'postgres', queue: 'other' } } })
    onTestFinished(() =>
      setConfig({ defaultPriority: 5, transports: { supabase: { type: 'supabase', queue: 'default' } } }),
    )
    const completed = next(worker, 'completed')
    expect(await dispatch({ type: 'Any', payload: {} })).toMatchObject({ queue: 'other', priority: 6 })
    expect(await completed).toMatchObject([{ type: 'Any' }])
  })

  test.each([0, 1])('runs when start() resolves, also without handlers and with %i messages', async (messages) => {
    for (let n = 0; n < messages; n += 1) await dispatch({ type: 'Nobodys', payload: {} })
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const [idle, working] = [createWorker(new HandlerRegistry()), createWorker(registry)]
    await Promise.all([idle.start(), working.start()])
    expect([idle.stats().state, working.stats().state]).toEqual(['running', 'running'])
  })

  test('cannot be started without tables, and keeps trying if the database is away', async () => {
    const [bare, away] = [
      createSymphony({ databaseUrl: database.url, schema: 'nothing_here' }),
      createSymphony({ databaseUrl: 'postgres://127.0.0.1:1/none' }),
    ]
    onTestFinished(async () => void (await Promise.all([bare.close(), away.close()])))
    const refused = bare.createWorker({ handleSignals: false })
    await expect(refused.start()).rejects.toMatchObject({ code: 'SYMPHONY_MIGRATION_MISSING' })
    expect(refused.stats().state).toBe('stopped')
    const trying = away.createWorker({ handleSignals: false })
    const told = vi.fn()
    trying.on('error', told)
    await trying.start()
    expect(trying.stats().state).toBe('running')
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: 'SYMPHONY_CONNECTION_FAILED' }))
    await trying.stop({ force: true })
  })

  test('survives a hot reload of the package, which shares its registry and its core', async () => {
    const before = await import('@leadmap/symphony')
    before.registerHandler('Reloaded', () => expect.unreachable())
    const worker = createWorker(before.getRegistry())
    void worker.start()
    await next(worker, 'idle')
    vi.resetModules()
    const after = await import('@leadmap/symphony')
    expect(after.dispatch).not.toBe(before.dispatch)
    const handled = gate()
    after.registerHandler('Reloaded', () => handled.open())
    expect(after.getRegistry()).toBe(before.getRegistry())
    await after.dispatch({ type: 'Reloaded', payload: {} })
    await handled.opened
  })

  test('survives the loss of all its connections', async () => {
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = createWorker(registry)
    worker.on('error', () => undefined)
    void worker.start()
    await next(worker, 'idle')
    await database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    const completed = next(worker, 'completed')
    const stored = () =>
      dispatch({ type: 'Any', payload: {} }).then(
        ({ status }) => status,
        ({ code }) => code,
      )
    await expect.poll(stored).toBe('queued')
    await completed
  })
})

function describeEvent(event: object | undefined): string {
  if (event === undefined || !('type' in event)) return ''
  const { type, transport, retryCount, delay, error } = event as MessageEvent
  const facts = [type, transport, retryCount]
  if (delay !== undefined) facts.push(`after ${delay}`)
  if (error !== undefined) facts.push(`${error.class}: ${error.message}`)
  return ` ${facts.join(' ')}`
}
