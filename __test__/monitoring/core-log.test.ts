/** What the core logs arrives at the logger of its instance, at the level of that logger, and nowhere else. */
import {
  type ConsumeResult,
  createSymphony,
  type LogFields,
  type Logger,
  type Symphony,
  type SymphonyConfig,
} from '@leadmap/symphony'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()

interface Line {
  level: keyof Logger
  message: string
  fields: LogFields
}

const opened: Symphony[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(opened.splice(0).map((queue) => queue.close()))
  await database.query('DROP SCHEMA IF EXISTS symphony CASCADE')
})

/** A logger that keeps what it gets; `least` is the level that it states, if it states one. */
function keeping(lines: Line[], least?: () => Logger['enabled']): Logger {
  const keep =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const logger: Logger = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
  return least === undefined ? logger : { ...logger, enabled: (level) => least()?.(level) !== false }
}

function createQueue(config: SymphonyConfig, logger?: Logger, name = 'it'): Symphony {
  const queue = createSymphony({ name, databaseUrl: database.url, config, logger })
  opened.push(queue)
  return queue
}

/** A message from its dispatch to its end. */
async function runOne(queue: Symphony, payload: object = { n: 1 }): Promise<ConsumeResult> {
  queue.registerHandler('Job', () => undefined, { name: 'one' })
  await queue.dispatch({ type: 'Job', payload })
  return queue.consumeBatch()
}

/** Lines of the core have a target. */
const fromCore = (lines: Line[]): Line[] => lines.filter(({ fields }) => fields.target !== undefined)
const named = (lines: Line[], message: string): Line[] => lines.filter((line) => line.message === message)

describe('an application’s logger', () => {
  const lines: Line[] = []
  beforeEach(() => {
    lines.length = 0
  })

  test('gets spans and events of the core with their fields', async () => {
    const queue = createQueue({ logging: { level: 'debug' } }, keeping(lines))
    await queue.migrate()
    expect(await runOne(queue)).toMatchObject({ succeeded: 1 })
    await expect.poll(() => named(lines, 'drain')).toHaveLength(1)
    const [drain] = named(lines, 'drain')
    expect(drain).toEqual({
      level: 'info',
      message: 'drain',
      fields: {
        instance: 'it',
        target: 'symphony::worker',
        worker: expect.stringMatching(/^[0-9a-f-]{36}$/),
        claimed: 1,
        succeeded: 1,
        retried: 0,
        deadLettered: 0,
        released: 0,
        snoozed: 0,
        discarded: 0,
        lost: 0,
        stoppedBy: 'empty',
        durationMs: expect.any(Number),
      },
    })
    expect(named(lines, 'migration')).toMatchObject([
      {
        level: 'info',
        fields: { target: 'symphony::migrate', operation: 'migrate', schema: 'symphony', steps: expect.any(Number) },
      },
    ])
    expect(named(lines, 'dispatch')).toMatchObject([
      { level: 'debug', fields: { target: 'symphony::dispatch', messages: 1, refused: 0 } },
    ])
    const claims = named(lines, 'claim').filter(({ fields }) => fields.claimed === 1)
    expect(claims).toMatchObject([{ fields: { transport: 'supabase', worker: drain?.fields.worker } }])
    expect(named(lines, 'settle')).toMatchObject([{ fields: { transport: 'supabase', outcomes: 1, lost: 0 } }])
    // A statement tells for what it was executed.
    const statements = named(lines, 'statement').map(({ fields }) => fields)
    expect(statements).toContainEqual(
      expect.objectContaining({
        target: 'symphony::postgres',
        statement: 'claim',
        rows: 1,
        failed: 0,
        transport: 'supabase',
        worker: drain?.fields.worker,
      }),
    )
    expect(statements.every(({ durationMs }) => typeof durationMs === 'number')).toBe(true)
  })

  test('gets nothing below its level: of `logging.level`, if it does not state one', async () => {
    const queue = createQueue({ logging: { level: 'info' } }, keeping(lines))
    await queue.migrate()
    await runOne(queue)
    await expect.poll(() => named(lines, 'drain')).toHaveLength(1)
    expect(fromCore(lines).map(({ level }) => level)).toEqual(['info', 'info'])
  })

  test('gets nothing below the level that it states, whatever `logging.level` is', async () => {
    const queue = createQueue(
      { logging: { level: 'debug' } },
      keeping(lines, () => (level) => level !== 'debug'),
    )
    await queue.migrate()
    await runOne(queue)
    await expect.poll(() => named(lines, 'drain')).toHaveLength(1)
    expect(fromCore(lines).filter(({ level }) => level === 'debug')).toEqual([])
  })

  test('gets nothing at all by default, if all goes well', async () => {
    const queue = createQueue({}, keeping(lines))
    await queue.migrate()
    await runOne(queue)
    await queue.close()
    expect(fromCore(lines)).toEqual([])
  })

  test('may leave out parts of the core, and have more of others', async () => {
    const targets = { 'symphony::worker': 'silent', 'symphony::dispatch': 'debug' } as const
    const queue = createQueue({ logging: { level: 'info', targets } }, keeping(lines))
    await queue.migrate()
    await runOne(queue)
    await queue.close()
    expect(fromCore(lines).map(({ message }) => message)).toEqual(['migration', 'dispatch'])
  })
})

describe('a level that is changed at run time holds at once', () => {
  test('in the configuration', async () => {
    const lines: Line[] = []
    const queue = createQueue({}, keeping(lines))
    await queue.migrate()
    expect(lines).toEqual([])
    queue.setConfig({ logging: { level: 'debug' } })
    await runOne(queue)
    await expect.poll(() => named(lines, 'drain')).toHaveLength(1)
    queue.setConfig({ logging: { level: 'silent' } })
    // What is on its way was wanted when it was written.
    await queue.getMetrics()
    lines.length = 0
    await runOne(queue)
    await queue.close()
    expect(fromCore(lines)).toEqual([])
  })

  test('with the logger, also for a worker that runs', async () => {
    const [before, after]: [Line[], Line[]] = [[], []]
    const queue = createQueue(
      { logging: { level: 'silent' } },
      keeping(before, () => () => false),
    )
    await queue.migrate()
    const handled: unknown[] = []
    queue.registerHandler('Job', () => void handled.push(1))
    const worker = queue.createWorker({ handleSignals: false })
    await worker.start()
    queue.setLogger(keeping(after, () => () => true))
    await queue.dispatch({ type: 'Job', payload: {} })
    await expect.poll(() => named(after, 'claim').some(({ fields }) => fields.claimed === 1)).toBe(true)
    await expect.poll(() => handled).toEqual([1])
    await worker.stop()
    expect(before).toEqual([])
  })

  test('in the logger itself, which is asked again', async () => {
    const lines: Line[] = []
    let isTalkative = false
    const queue = createQueue(
      {},
      keeping(lines, () => (level) => isTalkative || level === 'error'),
    )
    await queue.migrate()
    expect(lines).toEqual([])
    isTalkative = true
    await expect
      .poll(async () => {
        await queue.dispatch({ type: 'Other', payload: {} })
        return named(lines, 'dispatch').length > 0
      })
      .toBe(true)
  })
})

test('each of two instances has its own lines, though they share connections', async () => {
  const [ofA, ofB]: [Line[], Line[]] = [[], []]
  const a = createQueue({ logging: { level: 'debug' } }, keeping(ofA), 'a')
  const b = createQueue({ logging: { level: 'info' } }, keeping(ofB), 'b')
  await a.migrate()
  await Promise.all([runOne(a), b.getMetrics()])
  await expect.poll(() => named(ofA, 'drain')).toHaveLength(1)
  expect(fromCore(ofB)).toEqual([])
  await runOne(b)
  await expect.poll(() => named(ofB, 'drain')).toHaveLength(1)
  expect(named(ofA, 'drain')).toHaveLength(1)
  expect(new Set(ofA.map(({ fields }) => fields.instance))).toEqual(new Set(['a']))
  expect(new Set(ofB.map(({ fields }) => fields.instance))).toEqual(new Set(['b']))
  expect(fromCore(ofB).map(({ level }) => level)).toEqual(['info'])
  // One that is closed takes nothing from the other.
  await a.close()
  b.setConfig({ logging: { level: 'debug' } })
  await runOne(b)
  await expect.poll(() => named(ofB, 'dispatch')).toHaveLength(1)
})

test('a logger that throws or rejects breaks nothing: its lines are written to the console', async () => {
  const written = vi.spyOn(console, 'warn').mockReturnValue()
  const told = vi.spyOn(console, 'error').mockReturnValue()
  const unhandled = vi.fn()
  process.on('uncaughtException', unhandled).on('unhandledRejection', unhandled)
  onTestFinished(() => void process.off('uncaughtException', unhandled).off('unhandledRejection', unhandled))
  const fail = (): never => {
    throw new Error('full')
  }
  const reject = (): void => Promise.reject(new Error('full')) as never
  const logger: Logger = { debug: fail, info: reject, warn: fail, error: fail, enabled: fail }
  const queue = createQueue({ logging: { level: 'debug' } }, logger)
  await queue.migrate()
  expect(await runOne(queue)).toMatchObject({ succeeded: 1 })
  await expect.poll(() => told.mock.calls.length).toBeGreaterThan(0)
  expect(String(told.mock.calls[0])).toContain('the logger failed')
  expect(unhandled).not.toHaveBeenCalled()
  expect(written).not.toHaveBeenCalled()
})

test('no line has a payload, a password or a text that quotes one', async () => {
  const lines: Line[] = []
  const url = new URL(database.url)
  url.username ||= 'postgres'
  url.password = 'hunter2'
  const queue = createQueue({ logging: { level: 'debug' } }, keeping(lines))
  await queue.migrate()
  await runOne(queue, { card: 'tr0ub4dor' })
  await queue.dispatch(
    { type: 'Job', payload: { n: 2 } },
    { idempotencyKey: 'correct-horse', headers: { x: 'battery' } },
  )
  const other = createSymphony({
    databaseUrl: url.href,
    config: { logging: { level: 'debug' } },
    logger: keeping(lines),
  })
  opened.push(other)
  await other.getMetrics().catch(() => undefined)
  url.port = '1'
  const nowhere = createSymphony({
    databaseUrl: url.href,
    config: { logging: { level: 'debug' } },
    logger: keeping(lines),
  })
  opened.push(nowhere)
  await expect(nowhere.dispatch({ type: 'Job', payload: { card: 'tr0ub4dor' } })).rejects.toThrow()
  await expect.poll(() => named(lines, 'dispatch').length).toBeGreaterThanOrEqual(2)
  const text = JSON.stringify(fromCore(lines))
  expect(text).toContain('symphony::postgres')
  for (const secret of ['tr0ub4dor', 'hunter2', 'correct-horse', 'battery']) expect(text).not.toContain(secret)
})
