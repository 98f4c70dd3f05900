/** Statements that commit after their caller has given up on them: whatever it was, nothing of it may be lost or stuck. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  close,
  consumeBatch,
  dispatch,
  getRegistry,
  HandlerRegistry,
  runDueSchedules,
  schedule,
  setConfig,
  Worker,
} from '@leadmap/symphony'
import { listFailed, retryFailed } from '@leadmap/symphony/admin'
import { createWorkerRoute } from '@leadmap/symphony/next'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { request, SECRET } from '../next/support.js'
import { HELD_COMMITS, holdCommits, type Place } from './support/commits.js'
import { tell } from './support/figures.js'
import { createOwnQueue } from './support/own-server.js'
import { type Relay, startRelay } from './support/relay.js'
import { numbers } from './support/scale.js'
import { opening } from './support/statements.js'
import { until } from './support/until.js'

/** In milliseconds; a consumer rescues every sixth of it. */
const LEASE = 1000
/** So long that no claim and no beat of a test rewrites the row of its worker: each only locks it. In milliseconds. */
const FRESH = 5 * LEASE
/** The table of claimed messages: a claim that finds none is not held. */
const HELD = 'messenger_messages_processing'
const database = await createOwnQueue({}, HELD_COMMITS)
const commits = await holdCommits(database)

let relay: Relay
beforeEach(async () => {
  relay = await startRelay(database.url)
  setConfig({ database: { url: relay.url, statementTimeout: '15s' }, worker: { lease: LEASE } })
})
afterEach(async () => {
  await commits.letGo()
  await close()
})

/** What was done with the messages of one type. */
interface Ledger {
  readonly registry: HandlerRegistry
  /** How often the handler of each number was started. */
  readonly runs: Map<number, number>
}

/** Handlers of one type, which write down that they run. */
function handlersOf(type: string, act: (n: number) => unknown = () => undefined): Ledger {
  const [registry, runs] = [new HandlerRegistry(), new Map<number, number>()]
  registry.register(type, ({ payload: { n } }) => {
    runs.set(n, (runs.get(n) ?? 0) + 1)
    return act(n)
  })
  return { registry, runs }
}

/** What a caller does, and what it does when that has failed. */
interface Operation {
  /** The statement that it is given up in. */
  statement: string
  /** The messages that are to run, each once. */
  expected: number
  prepare?(type: string): Promise<unknown>
  act(type: string, ledger: Ledger): Promise<unknown>
  again?(type: string): Promise<unknown>
}

const send = (type: string, n: number) => dispatch({ type, payload: { n } }, { idempotencyKey: `${type} ${n}` })
const fill = (count: number) => (type: string) => Promise.all(numbers(count).map((n) => send(type, n)))
const drain = (_: string, { registry }: Ledger) => consumeBatch({ registry, batchSize: 5 })
const route = createWorkerRoute({ maxDuration: 60 })
const trigger = (executionId: string) => route.POST(request('/api/cron', { method: 'POST', json: { executionId } }))

const OPERATIONS: Record<string, Operation> = {
  dispatch: { statement: 'send_keyed', expected: 1, act: (type) => send(type, 0), again: (type) => send(type, 0) },
  claim: { statement: 'claim', expected: 5, prepare: fill(5), act: drain },
  settle: { statement: 'settle_finish', expected: 5, prepare: fill(5), act: drain },
  'sign-off': { statement: 'sign_off', expected: 5, prepare: fill(5), act: drain },
  rescue: { statement: 'rescue', expected: 5, prepare: (type) => hold(type, -1), act: drain },
  redrive: { statement: 'retry_letters', expected: 1, prepare: bury, act: redrive, again: redrive },
  'schedule settle': {
    statement: 'schedules_settle',
    expected: 1,
    prepare: (name) => schedule({ type: name, payload: { n: 0 } }, { at: Date.now() - 1000 }, { name }),
    act: () => runDueSchedules(),
    again: () => runDueSchedules(),
  },
  'execution end': { statement: 'end_execution', expected: 5, prepare: fill(5), act: trigger, again: trigger },
}

/** Sends messages that a worker holds which is not there, and whose lease has so many milliseconds left. */
async function hold(type: string, lease: number): Promise<void> {
  await fill(5)(type)
  await database.query(
    `WITH worker AS (
       INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
       VALUES ($2, 'dead', 1, '{supabase}', now() + $3 * interval '1 ms')),
     moved AS (DELETE FROM symphony.messenger_messages_pending WHERE message_type = $1 RETURNING *)
     INSERT INTO symphony.messenger_messages_processing
       (id, status, transport_name, queue_name, message_type, body, locked_at, locked_by, worker_id)
     SELECT id, 'processing', transport_name, queue_name, message_type, body, now(), gen_random_uuid(), $2 FROM moved`,
    [type, randomUUID(), lease],
  )
}

/** Makes a dead letter. */
async function bury(type: string): Promise<void> {
  await dispatch({ type, payload: { n: 0 } }, { maxRetries: 0 })
  const refusing = handlersOf(type, () => Promise.reject(new Error('refused')))
  await consumeBatch({ registry: refusing.registry })
}

async function redrive(type: string): Promise<unknown> {
  const { messages } = await listFailed({ type })
  return Promise.all(messages.map(({ id }) => retryFailed(id)))
}

/** When the caller gives up, as seen by the statement. */
const MOMENTS = {
  /** It goes on all the same. */
  'before it writes': async () => {
    relay.cut()
  },
  'in its commit': async () => {
    relay.cut()
  },
  'after its commit': async () => {
    relay.freeze()
    await commits.letGo()
    await quiet()
    relay.cut()
    relay.thaw()
  },
} satisfies Record<string, () => Promise<void>>
type Moment = keyof typeof MOMENTS

/** Waits until the server has done what it was asked for. */
function quiet(): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE 'symphony%'`
  return until('no statement runs', async () => (await database.query(sql)).length === 0)
}

const CELLS = Object.keys(OPERATIONS).flatMap((name) =>
  Object.keys(MOMENTS).map((moment) => [name, moment as Moment] as const),
)

test.each(CELLS)('%s given up %s: nothing is lost, stuck or doubled', { timeout: 90_000 }, async (name, moment) => {
  const operation = OPERATIONS[name] as Operation
  const type = `${name} ${moment}`.replaceAll(' ', '-')
  const ledger = handlersOf(type)
  vi.stubEnv('CRON_SECRET', SECRET)
  getRegistry().clear()
  getRegistry().register(type, ({ payload: { n } }) => void ledger.runs.set(n, (ledger.runs.get(n) ?? 0) + 1))
  await operation.prepare?.(type)

  const place: Place = moment === 'before it writes' ? moment : 'in its commit'
  await commits.hold(operation.statement, place)
  const acting = operation.act(type, ledger).then(
    () => 'answered',
    ({ code }) => code,
  )
  await until('it is held', async () => (await commits.held()) > 0)
  await commits.holdNoMore()
  await MOMENTS[moment]()
  // A second try meets what is still held.
  await Promise.race([acting, sleep(300)])
  await commits.letGo()
  const [gone] = await database.query<{ at: Date }>('SELECT clock_timestamp() AS at')
  const answer = await acting
  await operation.again?.(type)

  let ms = 0
  await until('all is done', async () => {
    await consumeBatch({ registry: ledger.registry })
    const [row] = await database.query<{ done: number; ms: number }>(
      `SELECT count(*)::int AS done, (extract(epoch FROM clock_timestamp() - $2::timestamptz) * 1000)::int AS ms
       FROM symphony.messenger_messages_finished WHERE message_type = $1`,
      [type, gone?.at],
    )
    ms = row?.ms ?? 0
    return row?.done === operation.expected
  })
  const runs = [...ledger.runs.values()]
  tell(`C1 ${name} given up ${moment}`, { answer, done: operation.expected, 'ms until done': ms, runs: runs.join(' ') })
  expect(runs).toEqual(numbers(operation.expected).map(() => 1))
  expect(await database.query('SELECT FROM symphony.messenger_failed_messages')).toEqual([])
  expect(await database.query('SELECT FROM symphony.messenger_messages_processing')).toEqual([])
  expect(await stored(type)).toBe(operation.expected)
  // One lease, one sweep, and what a busy machine adds.
  expect(ms).toBeLessThan(LEASE + LEASE / 6 + 10_000)
})

test('a drain whose time is over leaves while its last claim commits: the claim is not overtaken', {
  timeout: 90_000,
}, async () => {
  const type = 'Overtaken'
  setConfig({ worker: { lease: FRESH } })
  const ledger = handlersOf(type, async (n) => {
    if (n > 0) return
    await commits.hold('claim', 'in its commit', HELD)
    await Promise.all(numbers(5).map((more) => send(type, more + 1)))
  })
  await fill(1)(type)
  const leaving = consumeBatch({ registry: ledger.registry, batchSize: 5, timeLimit: 1200 }).catch(({ code }) => code)
  await until('the last claim is held', async () => (await commits.held()) > 0)
  await commits.stall()
  await commits.holdNoMore()
  // Until it has left, or waits for its row to do so.
  const left = leaving.then(() => true)
  await until('it leaves', async () => (await Promise.race([left, isBlocked('sign_off')])) === true)
  await commits.letGo()
  expect(await leaving).toBe('SYMPHONY_TIMEOUT')
  const other = handlersOf(type)
  await until('all is done', async () => {
    await consumeBatch({ registry: other.registry })
    return (await finished(type)) === 6
  })
  expect(await database.query('SELECT FROM symphony.messenger_messages_processing')).toEqual([])
})

test('a worker stopped right after its claim failed leaves its lease to what the claim may have taken', {
  timeout: 90_000,
}, async () => {
  const type = 'Stopped'
  setConfig({ worker: { lease: FRESH } })
  const ledger = handlersOf(type)
  const worker = new Worker({ registry: ledger.registry, pollInterval: 50, listen: false })
  const failed = new Promise<string>((resolve) => worker.on('error', ({ code }) => resolve(code)))
  const ended = worker.run()
  // Only a claim registers a worker that does not listen, and it claims where something waits.
  ledger.registry.register('Before', () => undefined)
  await dispatch({ type: 'Before', payload: {} })
  await until(
    'it is registered',
    async () => (await database.query('SELECT FROM symphony.messenger_workers')).length > 0,
  )
  await commits.hold('claim', 'in its commit', HELD)
  await fill(5)(type)
  await until('the claim is held', async () => (await commits.held()) > 0)
  await commits.holdNoMore()
  relay.cut()
  expect(await failed).toBe('SYMPHONY_CONNECTION_FAILED')
  worker.stop()
  const left = ended.then(() => true)
  await until('it leaves', async () => (await Promise.race([left, isBlocked('sign_off')])) === true)
  await commits.letGo()
  await ended
  await until('all is done', async () => {
    await consumeBatch({ registry: ledger.registry })
    return (await finished(type)) === 5
  })
  expect([...ledger.runs.values()]).toEqual(numbers(5).map(() => 1))
})

test('a worker that lives takes back what a claim has taken that it gave up on, however late it commits', {
  timeout: 90_000,
}, async () => {
  const type = 'Forgotten'
  const ledger = handlersOf(type)
  const worker = new Worker({ registry: ledger.registry, pollInterval: 50 })
  worker.on('error', () => undefined)
  const ended = worker.run()
  await until(
    'it is registered',
    async () => (await database.query('SELECT FROM symphony.messenger_workers')).length > 0,
  )
  await commits.hold('claim', 'in its commit', HELD)
  await fill(5)(type)
  await until('the claim is held', async () => (await commits.held()) > 0)
  await commits.holdNoMore()
  relay.cut()
  // Until it has looked what the claim has taken, and has seen nothing: the next claim waits for the row of the worker.
  await until('it claims again', () => isBlocked('claim'))
  await commits.letGo()
  await until('all is done', async () => (await finished(type)) === 5)
  expect([...ledger.runs.values()]).toEqual(numbers(5).map(() => 1))
  const rows = await database.query('SELECT crash_count FROM symphony.messenger_messages WHERE message_type = $1', [
    type,
  ])
  expect(rows).toEqual(numbers(5).map(() => ({ crash_count: 0 })))
  await worker.stop()
  expect(await ended).toMatchObject({ succeeded: 5, lost: 0 })
})

test('a claim that commits after its lease: without a heartbeat that finds it standing, nothing of it starts', {
  timeout: 90_000,
}, async () => {
  const type = 'Late'
  const late = handlersOf(type, () => until('somebody else has done it', async () => (await finished(type)) === 5))
  await fill(5)(type)
  await commits.hold('claim', 'in its commit', HELD)
  await commits.hold('extend', 'before it writes')
  const claiming = consumeBatch({ registry: late.registry, batchSize: 5, messageLimit: 5 })
  await until('its lease is over', isHeldPastItsLease)
  await commits.letCommit()
  const other = handlersOf(type)
  await until('all is done', async () => {
    await consumeBatch({ registry: other.registry })
    return (await finished(type)) === 5
  })
  await commits.letGo()
  expect(await claiming).toMatchObject({ succeeded: 0 })
  expect([...other.runs.values()]).toEqual([1, 1, 1, 1, 1])
  expect([...late.runs.values()]).toEqual([])
})

test('a claim that commits after its lease, and that nobody else has taken: it is handled as any other', {
  timeout: 90_000,
}, async () => {
  const type = 'LateAndAlone'
  const ledger = handlersOf(type)
  await fill(5)(type)
  await commits.hold('claim', 'in its commit', HELD)
  const draining = consumeBatch({ registry: ledger.registry, batchSize: 5 })
  await until('its lease is over', isHeldPastItsLease)
  await commits.letGo()
  expect(await draining).toMatchObject({ succeeded: 5, released: 0, lost: 0 })
  expect([...ledger.runs.values()]).toEqual([1, 1, 1, 1, 1])
})

test('a failover that loses a settling: the worker that lives puts the message back', { timeout: 90_000 }, async () => {
  const type = 'Undone'
  const ledger = handlersOf(type)
  const worker = new Worker({ registry: ledger.registry, pollInterval: 50 })
  const ended = worker.run()
  await fill(3)(type)
  await until('all is settled', async () => (await finished(type)) === 3)
  // What the heir of the lost server still has: the message as it was claimed.
  await database.query(
    `WITH undone AS (DELETE FROM symphony.messenger_messages_finished WHERE message_type = $1 RETURNING *)
     INSERT INTO symphony.messenger_messages_processing
       (id, status, transport_name, queue_name, message_type, body, locked_at, locked_by, worker_id)
     SELECT id, 'processing', transport_name, queue_name, message_type, body, locked_at, locked_by, worker_id FROM undone`,
    [type],
  )
  await until('all is settled again', async () => (await finished(type)) === 3)
  expect([...ledger.runs.values()]).toEqual([2, 2, 2])
  await worker.stop()
  await ended
})

test('a table of workers that somebody truncates: what is in no hand comes back, what is in hand stays', {
  timeout: 90_000,
}, async () => {
  const [type, lost] = ['Kept', 'Unheld']
  let release: () => void = () => undefined
  const handled = new Promise<void>((resolve) => {
    release = resolve
  })
  const ledger = handlersOf(type, () => handled)
  ledger.registry.register(lost, () => undefined)
  const worker = new Worker({ registry: ledger.registry, pollInterval: 50 })
  const ended = worker.run()
  await fill(1)(type)
  await until('it runs', () => ledger.runs.size === 1)
  await hold(lost, 3_600_000)
  await database.query('TRUNCATE symphony.messenger_workers')
  await until('what nobody holds is done', async () => (await finished(lost)) === 5)
  release()
  await until('what is in hand is done', async () => (await finished(type)) === 1)
  expect([...ledger.runs.values()]).toEqual([1])
  await worker.stop()
  await ended
})

/** How many messages of a type are done. */
async function finished(type: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM symphony.messenger_messages_finished WHERE message_type = $1',
    [type],
  )
  return row?.n ?? 0
}

/** Whether a commit is held that began longer ago than a lease. */
async function isHeldPastItsLease(): Promise<boolean> {
  const sql = `SELECT FROM pg_stat_activity
               WHERE wait_event = 'SyncRep' AND xact_start < clock_timestamp() - $1 * interval '1 millisecond'`
  return (await database.query(sql, [LEASE])).length > 0
}

/** Whether a statement of this name waits for a row that another one has. */
async function isBlocked(name: string): Promise<boolean> {
  const sql = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND starts_with(query, $1)`
  return (await database.query(sql, [opening(name)])).length > 0
}

/** How many messages of a type there are, wherever they are. */
async function stored(type: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM symphony.messenger_messages WHERE message_type = $1',
    [type],
  )
  return row?.n ?? 0
}
