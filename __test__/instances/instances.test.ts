/** Several queues in one process: nothing of one shows in another. */
import {
  close,
  createSymphony,
  dispatch,
  getConfig,
  getRegistry,
  type LogFields,
  type Logger,
  type Symphony,
  type SymphonyOptions,
  setConfig,
} from '@leadmap/symphony'
import { logChannel } from '@leadmap/symphony/admin'
import { createSymphonyRoute, createWorkerRoute } from '@leadmap/symphony/next'
import { createTestKit } from '@leadmap/symphony/testing'
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createDatabase } from '../support/database.js'

const [one, two] = [await createDatabase(), await createDatabase()]

const opened: Symphony[] = []

/** A queue that is closed when its test is over. */
async function createQueue(options: SymphonyOptions): Promise<Symphony> {
  const symphony = createSymphony(options)
  opened.push(symphony)
  await symphony.migrate()
  return symphony
}

let a: Symphony
let b: Symphony

beforeEach(async () => {
  a = await createQueue({ name: 'a', databaseUrl: one.url })
  b = await createQueue({ name: 'b', databaseUrl: two.url })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(opened.splice(0).map((symphony) => symphony.close()))
  for (const { query } of [one, two]) {
    await query('DROP SCHEMA IF EXISTS symphony CASCADE')
    await query('DROP SCHEMA IF EXISTS reports CASCADE')
  }
})

afterAll(close)

const message = { type: 'Job', payload: { n: 1 } }

/** Registers a handler that notes whom it was called for. */
function record(handled: string[], symphony: Symphony): void {
  symphony.registerHandler('Job', () => void handled.push(String(symphony.name)))
}

describe('two instances on two databases', () => {
  test('handle their own messages, each with its own handlers', async () => {
    const handled: string[] = []
    record(handled, a)
    record(handled, b)
    await a.dispatch(message)
    await a.dispatch(message)
    await b.dispatch(message)
    expect(await b.consumeBatch()).toMatchObject({ succeeded: 1, drained: true })
    expect(handled).toEqual(['b'])
    expect(await a.consumeBatch()).toMatchObject({ succeeded: 2, drained: true })
    expect(handled).toEqual(['b', 'a', 'a'])
    expect([(await a.listMessages()).messages.length, (await b.listMessages()).messages.length]).toEqual([2, 1])
  })

  test('share neither handlers nor middleware, nor with the default instance', async () => {
    a.registerHandler('Job', () => undefined)
    a.getRegistry().use((_envelope, _context, next) => next())
    expect(b.getRegistry().types()).toEqual([])
    expect(b.getRegistry().middleware).toEqual([])
    expect(getRegistry().types()).toEqual([])
    await b.dispatch(message)
    b.registerHandler('Other', () => undefined)
    expect((await b.getHealth()).findings).toContainEqual(
      expect.objectContaining({ check: 'unhandledTypes', severity: 'warning', value: 1 }),
    )
    expect(await b.consumeBatch()).toMatchObject({ claimed: 0 })
  })

  test('have schedules of one name, and run their own', async () => {
    await a.schedule(message, { every: '1h' }, { name: 'report', from: new Date(0) })
    await b.schedule(message, { every: '2h' }, { name: 'report', from: new Date(0) })
    expect(await a.listSchedules()).toMatchObject([{ name: 'report', every: 3_600_000 }])
    expect(await b.getSchedule('report')).toMatchObject({ every: 7_200_000 })
    await b.pauseSchedule('report')
    expect(await a.getSchedule('report')).toMatchObject({ status: 'active' })
    await a.runScheduleNow('report')
    expect([(await a.getMetrics()).queue.pending, (await b.getMetrics()).queue.pending]).toEqual([1, 0])
  })

  test('have dead letters of their own', async () => {
    for (const queue of [a, b]) {
      queue.setConfig({ retry: { default: { maxRetries: 0 } } })
      queue.registerHandler('Job', () => {
        throw new Error(`no, says ${queue.name}`)
      })
      await queue.dispatch(message)
      expect(await queue.consumeBatch()).toMatchObject({ deadLettered: 1 })
    }
    expect((await a.listFailed()).messages).toMatchObject([{ error: 'no, says a' }])
    expect(await a.retryFailed({})).toHaveLength(1)
    expect([await a.countFailed(), await b.countFailed()]).toMatchObject([{ total: 0 }, { total: 1 }])
  })

  test('one is closed, and the other goes on: its worker, its scheduler, its dispatches', async () => {
    const handled: string[] = []
    record(handled, a)
    record(handled, b)
    const [workerOfA, workerOfB] = [a.createWorker({ handleSignals: false }), b.createWorker({ handleSignals: false })]
    const [schedulerOfA, schedulerOfB] = [a, b].map((it) => it.createScheduler({ handleSignals: false }))
    const ended = [workerOfA.run(), schedulerOfA?.run()]
    const running = [workerOfB.run(), schedulerOfB?.run()]
    onTestFinished(async () => {
      await b.close()
      await Promise.all(running)
    })
    await a.dispatch(message)
    await expect.poll(() => handled).toEqual(['a'])
    await a.close()
    await Promise.all(ended)
    expect([workerOfA.stats().state, schedulerOfA?.running]).toEqual(['stopped', false])
    expect([workerOfB.stats().state, schedulerOfB?.running]).toEqual(['running', true])
    await b.dispatch(message)
    await expect.poll(() => handled).toEqual(['a', 'b'])
    expect(await b.getHealth()).toMatchObject({ metrics: { queueDepth: 0 } })
  })

  test('one that was closed is opened by its next use', async () => {
    await a.dispatch(message)
    await a.close()
    expect(await a.getMetrics()).toMatchObject({ queue: { pending: 1 } })
  })

  test('are examined and measured each by itself', async () => {
    a.registerHandler('Job', () => undefined)
    await a.dispatch(message)
    await a.consumeBatch()
    expect(await a.getMetrics()).toMatchObject({ totalSucceeded: 1 })
    expect(await b.getMetrics()).toMatchObject({ totalSucceeded: 0 })
    await b.rollback({ to: 0 })
    expect([(await a.doctor()).status, (await b.doctor()).status]).toEqual(['ok', 'error'])
    await expect(b.dispatch(message)).rejects.toMatchObject({ code: 'SYMPHONY_MIGRATION_MISSING' })
    await a.dispatch(message)
  })

  test('with routes of their own', async () => {
    const handled: string[] = []
    record(handled, a)
    record(handled, b)
    const authorize = () => true
    const body = JSON.stringify({ message })
    const post = (queue: Symphony, path: string, body?: string) =>
      createSymphonyRoute({ symphony: queue, authorize }).handle(
        new Request(`http://x/api/symphony/${path}`, { method: 'POST', body, headers: JSON_HEADERS }),
      )
    expect((await post(b, 'dispatch', body)).status).toBe(201)
    expect(await (await createWorkerRoute({ symphony: a, authorize }).GET(request())).json()).toMatchObject({
      stats: { totalProcessed: 0 },
    })
    expect(await (await post(b, 'consume', '{}')).json()).toMatchObject({ stats: { totalProcessed: 1 } })
    expect(handled).toEqual(['b'])
  })
})

const JSON_HEADERS = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
const request = () => new Request('http://x/cron', { headers: JSON_HEADERS })

describe('two schemas of one database', () => {
  test('are two queues; closing one leaves the connections of the other', async () => {
    const reports = await createQueue({ name: 'reports', databaseUrl: one.url, schema: 'reports' })
    const handled: string[] = []
    record(handled, a)
    record(handled, reports)
    await a.dispatch(message)
    await reports.dispatch(message)
    await a.close()
    expect(await reports.consumeBatch()).toMatchObject({ succeeded: 1 })
    expect(handled).toEqual(['reports'])
    const [row] = await one.query('SELECT count(*)::int AS n FROM symphony.messenger_messages WHERE status = $1', [
      'pending',
    ])
    expect(row).toEqual({ n: 1 })
  })
})

describe('the configuration', () => {
  test('is of one instance, and so are its changes at run time and its listeners', async () => {
    const told: number[] = []
    b.getRuntimeConfigManager().onChange(({ defaultPriority }) => told.push(defaultPriority))
    a.setConfig({ defaultPriority: 9 })
    a.getRuntimeConfigManager().setDefaultQueue('mail')
    expect(a.getConfig()).toMatchObject({ defaultPriority: 9, defaultQueue: 'mail' })
    expect(b.getConfig()).toMatchObject({ defaultPriority: 5, defaultQueue: 'default' })
    expect(getConfig()).toMatchObject({ defaultPriority: 5, defaultQueue: 'default' })
    expect(told).toEqual([])
    expect(await a.dispatch(message)).toMatchObject({ priority: 9, queue: 'mail' })
    expect(await b.dispatch(message)).toMatchObject({ priority: 5, queue: 'default' })
    setConfig({ defaultPriority: 2 })
    onTestFinished(() => setConfig({ defaultPriority: 5 }))
    expect([a, b].map((it) => it.getConfig().defaultPriority)).toEqual([9, 5])
  })

  test('goes back to the options', () => {
    const queue = createSymphony({ databaseUrl: one.url, config: { defaultPriority: 3 } })
    queue.setConfig({ defaultPriority: 9 })
    queue.resetConfig()
    expect(queue.getConfig()).toMatchObject({ defaultPriority: 3 })
  })

  test('takes from the environment where the database is, and nothing else', async () => {
    vi.stubEnv('SYMPHONY_DATABASE_URL', two.url)
    vi.stubEnv('SYMPHONY_DEFAULT_PRIORITY', '8')
    const queue = createSymphony()
    opened.push(queue)
    expect(queue.getConfig().defaultPriority).toBe(5)
    await queue.dispatch(message)
    expect(await b.getMetrics()).toMatchObject({ queue: { pending: 1 } })
    // Nothing that belongs to the database of the environment is mixed into another.
    vi.stubEnv('SYMPHONY_DIRECT_URL', two.url)
    vi.stubEnv('SYMPHONY_DATABASE_SCHEMA', 'elsewhere')
    const other = createSymphony({ databaseUrl: one.url })
    opened.push(other)
    expect(other.getConfig().database).toMatchObject({ schema: 'symphony' })
    expect(await other.migrationStatus()).toMatchObject({ pending: [] })
    await other.rollback({ to: 0 })
    expect(await b.getMetrics()).toMatchObject({ queue: { pending: 1 } })
  })

  test('is refused at once where it does not fit', () => {
    expect(() => createSymphony({ config: { defaultPriority: 11 } })).toThrow(/defaultPriority: got 11/)
    expect(() => createSymphony({ databaseURL: one.url } as SymphonyOptions)).toThrow(/options\.databaseURL/)
  })
})

test('what a handler throws inside a dispatch reaches the caller of its instance', async () => {
  for (const queue of [a, b]) {
    queue.setConfig({ defaultTransport: 'sync' })
    queue.registerHandler('Job', () => Promise.reject(new RangeError(queue.name)))
  }
  await expect(a.dispatch(message)).rejects.toEqual(new RangeError('a'))
  await expect(b.dispatch(message)).rejects.toEqual(new RangeError('b'))
})

test('log lines go to the logger of the instance, at its level, with its name', async () => {
  const lines: Array<[string, LogFields | undefined]> = []
  const write = (text: string, fields?: LogFields): void => void lines.push([text, fields])
  const logger: Logger = { debug: write, info: write, warn: write, error: write }
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  onTestFinished(() => warn.mockRestore())
  a.setLogger(logger)
  await a.consumeBatch()
  expect(lines).toEqual([[expect.stringContaining('no handler is registered'), { instance: 'a' }]])
  expect(warn).not.toHaveBeenCalled()
  b.setConfig({ logging: { level: 'silent' } })
  await b.consumeBatch()
  expect(warn).not.toHaveBeenCalled()
  expect(lines).toHaveLength(1)
})

test('only those who asked are told of failures', async () => {
  const told: string[] = []
  const write = (text: string): void => void told.push(text)
  const logger: Logger = { debug: write, info: write, warn: write, error: write }
  a.configureNotifications({ channels: [logChannel({ logger })] })
  for (const queue of [a, b]) {
    queue.setConfig({ retry: { default: { maxRetries: 0 } } })
    queue.registerHandler('Job', () => Promise.reject(new Error('no')))
    await queue.dispatch(message)
  }
  await b.consumeBatch()
  expect(told).toEqual([])
  await a.consumeBatch()
  expect(told).toEqual(['Job became a dead letter: Error'])
})

test('the test kit of an instance keeps its messages in memory, and no other', async () => {
  const kit = createTestKit(a)
  kit.useMemoryTransport()
  await a.dispatch(message)
  await b.dispatch(message)
  expect(kit.assertDispatched('Job', 1)).toMatchObject([{ transport: 'memory' }])
  const [ofA, ofB] = await Promise.all([a.getMetrics(), b.getMetrics()])
  expect([ofA.queue.queues, ofB.queue.pending]).toMatchObject([[{ transport: 'memory' }], 1])
})

test('functions may be taken out of their instance', async () => {
  const { dispatch: send, registerHandler, consumeBatch } = a
  registerHandler('Job', () => undefined)
  await send(message)
  expect(await consumeBatch()).toMatchObject({ succeeded: 1 })
})

test('a hot reload leaves one default instance, and takes the instances that were made before', async () => {
  setConfig({ database: { url: two.url } })
  const handled: string[] = []
  getRegistry().register('Job', () => void handled.push('default'))
  record(handled, a)
  vi.resetModules()
  const after = await import('@leadmap/symphony')
  const routes = await import('@leadmap/symphony/next')
  expect(after.dispatch).not.toBe(dispatch)
  expect(after.getRegistry()).toBe(getRegistry())
  await after.dispatch(message)
  await after.consumeBatch()
  await a.dispatch(message)
  await routes.createWorkerRoute({ symphony: a, authorize: () => true }).GET(request())
  expect(handled).toEqual(['default', 'a'])
  getRegistry().clear()
})
