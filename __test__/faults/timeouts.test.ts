import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  runDueSchedules,
  schedule,
  setConfig,
  TransportError,
} from '@leadmap/symphony'
import pg from 'pg'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { since, tell } from './support/figures.js'
import { ended, fill, tally } from './support/queue.js'
import { numbers } from './support/scale.js'
import { until } from './support/until.js'

const LIMIT = 1000
const database = await createQueue({ database: { statementTimeout: LIMIT } })
/** Somebody else's session. */
const other = new pg.Client(database.directUrl)
await other.connect()
afterAll(() => other.end())

const registry = new HandlerRegistry()
registry.register('Work', () => undefined)

beforeEach(() => emptyTables(database))

/** Keeps a table locked while something is tried. */
async function whileLocked<T>(table: string, act: () => Promise<T>): Promise<T> {
  await other.query('BEGIN')
  await other.query(`LOCK TABLE symphony.${table} IN ACCESS EXCLUSIVE MODE`)
  try {
    return await act()
  } finally {
    await other.query('ROLLBACK')
  }
}

/** Waits until none of the package's statements runs any more: what it gave up on must be gone too. */
function allQuiet(): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%messenger_%'`
  return until('all statements have ended', async () => (await database.query(sql)).length === 0)
}

test('dispatch() gives up at the time limit, and nothing of it is stored', async () => {
  const start = performance.now()
  const refusals = await whileLocked('messenger_messages_pending', () =>
    Promise.all([
      dispatch({ type: 'Work', payload: { n: 1 } }).catch((error: unknown) => error),
      dispatch({ type: 'Work', payload: { n: 2 } }, { idempotencyKey: 'locked' }).catch((error: unknown) => error),
      dispatchBatch(numbers(50).map((n) => ({ type: 'Work', payload: { n } }))),
    ]),
  )
  const took = since(start)
  const [plain, keyed, batch] = refusals
  for (const refusal of [plain, keyed, ...batch.map((each) => !each.success && each.error)]) {
    expect(refusal).toBeInstanceOf(TransportError)
    expect(refusal).toMatchObject({ code: 'SYMPHONY_TIMEOUT' })
  }
  // The server's limit, and the second that this side waits longer.
  expect(took).toBeLessThan(LIMIT + 2000)
  await allQuiet()
  expect(await tally(database)).toEqual({ waiting: 0, held: 0, completed: 0, dead: 0 })
  expect(await database.query('SELECT FROM symphony.messenger_deduplication')).toEqual([])
  // The key was not used up.
  expect(await dispatch({ type: 'Work', payload: { n: 2 } }, { idempotencyKey: 'locked' })).toMatchObject({
    status: 'queued',
  })
  tell('10 dispatch, table locked', { 'statementTimeout in ms': LIMIT, 'ms until it fails': took, stored: 0 })
})

test('consumeBatch() that cannot claim says why, and has claimed nothing', async () => {
  await fill(numbers(20).map((n) => ({ n })))
  const start = performance.now()
  const refusal = await whileLocked('messenger_messages_processing', () =>
    consumeBatch({ registry }).catch((error: unknown) => error),
  )
  const took = since(start)
  expect(refusal).toBeInstanceOf(TransportError)
  expect(refusal).toMatchObject({ code: 'SYMPHONY_TIMEOUT' })
  // Two claims, and a farewell that is as locked out: not five of them.
  expect(took).toBeLessThan(15 * LIMIT)
  await allQuiet()
  expect(await tally(database)).toEqual({ waiting: 20, held: 0, completed: 0, dead: 0 })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 20, drained: true })
  tell('10 consumeBatch, table locked', { 'statementTimeout in ms': LIMIT, 'ms until it fails': took, claimed: 0 })
})

test('consumeBatch() with a time limit is back in time, whatever is locked', async () => {
  await close()
  setConfig({ database: { statementTimeout: '15s' } })
  await fill(numbers(20).map((n) => ({ n })))
  const start = performance.now()
  const refusal = await whileLocked('messenger_messages_processing', () =>
    consumeBatch({ registry, timeLimit: 2000 }).catch((error: unknown) => error),
  )
  const took = since(start)
  expect(refusal).toMatchObject({ name: 'TransportError', code: 'SYMPHONY_TIMEOUT' })
  // A tenth more for outcomes on their way, and half a second for the farewell.
  expect(took).toBeLessThan(3000)
  await allQuiet()
  setConfig({ database: { statementTimeout: LIMIT } })
  await until('they are all handled', async () => {
    await consumeBatch({ registry })
    return (await tally(database)).completed === 20
  })
  tell('10 consumeBatch with timeLimit, table locked', { 'timeLimit in ms': 2000, 'ms until it returned': took })
})

test('runDueSchedules() gives up at the time limit, and the run is made by the next call', async () => {
  await schedule({ type: 'Work', payload: { n: 1 } }, { at: Date.now() - 1000 }, { name: 'locked' })
  const refusal = await whileLocked('messenger_schedules', () => runDueSchedules().catch((error: unknown) => error))
  expect(refusal).toMatchObject({ name: 'TransportError', code: 'SYMPHONY_TIMEOUT' })
  await allQuiet()
  expect(await tally(database)).toMatchObject({ waiting: 0 })
  expect(await runDueSchedules()).toMatchObject({ dispatched: 1, failed: 0 })
  expect(await tally(database)).toMatchObject({ waiting: 1 })
})

test('outcomes that cannot be written wait, and each is written once', async () => {
  await fill(numbers(20).map((n) => ({ n })))
  const runs: number[] = []
  let handled: () => void = () => undefined
  const allHandled = new Promise<void>((resolve) => {
    handled = resolve
  })
  const counting = new HandlerRegistry()
  counting.register('Work', ({ payload }) => {
    runs.push(payload.n)
    if (runs.length === 10) handled()
  })
  const start = performance.now()
  const draining = await whileLocked('messenger_messages_finished', async () => {
    const draining = consumeBatch({ registry: counting, batchSize: 10 })
    await allHandled
    // Long enough for two attempts to fail.
    await new Promise((resolve) => setTimeout(resolve, 2.5 * LIMIT))
    const [held] = await database.query('SELECT count(*)::int AS n FROM symphony.messenger_messages_processing')
    expect(held?.n).toBeGreaterThanOrEqual(10)
    return { draining }
  })
  expect(await draining.draining).toMatchObject({ succeeded: 20, lost: 0, retried: 0, drained: true })
  expect(runs.toSorted((left, right) => left - right)).toEqual(numbers(20))
  expect(await ended(database)).toEqual(numbers(20))
  tell('10 outcomes, table locked', { messages: 20, 'handled twice': 0, 'ms in all': since(start) })
})
