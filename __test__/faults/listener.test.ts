import { setTimeout as sleep } from 'node:timers/promises'
import {
  close,
  consumeBatch,
  type DispatchOptions,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  setConfig,
  Worker,
  type WorkerOptions,
} from '@leadmap/symphony'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { greatest, since, tell } from './support/figures.js'
import { startRelay } from './support/relay.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
// Behind a pooler the listener has a connection of its own. With a long lease, no look after the dead finds a message.
setConfig({ database: { directUrl: database.directUrl }, worker: { lease: '1h' } })
const ROUNDS = scaled(3, 20)
/** What "woken" means: a worker that polls would need half of POLL on average. */
const PROMPT = 50
const POLL = 60_000

test('the listening connection is terminated: within 5 s messages are picked up in less than 50 ms again', {
  timeout: 180_000,
}, async () => {
  const { picked } = startWorker()
  await until('a worker listens', async () => (await listeners()).length === 1)
  const before = await latencies(picked, 10)

  const recovered: number[] = []
  const after: number[] = []
  for (const _ of numbers(ROUNDS)) {
    const [pid] = await listeners()
    const cut = performance.now()
    // With a time limit it waits until the process is gone: until then a message would still find the listener.
    await database.query('SELECT pg_terminate_backend($1, 10000)', [pid])
    // One message after the other, the first of them while nobody listens.
    while ((await latency(picked)) >= PROMPT) expect(since(cut)).toBeLessThan(5000)
    recovered.push(since(cut))
    expect(await listeners()).not.toContain(pid)
    after.push(...(await latencies(picked, 10)))
  }
  expect(greatest(recovered)).toBeLessThan(5000)
  tell('5 listener', {
    terminated: ROUNDS,
    'median ms before': median(before),
    'median ms after': median(after),
    'most ms after': greatest(after),
    'ms until prompt again, at most': greatest(recovered),
  })
})

test('a worker that has just begun to listen is woken too', { timeout: 120_000 }, async () => {
  const slowest: number[] = []
  for (const _ of numbers(scaled(20, 200))) {
    const { picked, stop } = startWorker()
    await sleep(between(0, 20))
    slowest.push(await latency(picked))
    await stop()
  }
  tell('5 new listener', { workers: slowest.length, 'most ms': Math.round(greatest(slowest)) })
})

test('one worker is woken for each of its transports and queues', async () => {
  setConfig({ transports: { mail: { type: 'postgres', queue: 'mail' } } })
  const { picked } = startWorker({ transports: ['supabase', 'mail'] })
  await until('a worker listens', async () => (await listeners()).length === 1)
  const places = [{}, { transport: 'mail' }, { queue: 'reports' }, { transport: 'mail', queue: 'late' }]
  for (const place of places) {
    await latency(picked, place)
    await sleep(20)
  }
})

// Who dispatches sees no worker that waits, and the worker looks for the last time before the message can be seen.
test('a message is found that is committed right after the worker has said that it waits', {
  timeout: 120_000,
}, async () => {
  const dispatching = new pg.Client(database.directUrl)
  await dispatching.connect()
  onTestFinished(() => dispatching.end())
  const inTime = async (key: string) => {
    const { picked, stop } = startWorker()
    const handled = new Promise<boolean>((resolve) => picked.set(key, () => resolve(true)))
    await until('the worker waits', async () => (await waiting()) === 1, { pause: 1 })
    // For what it looks for at once.
    await sleep(10)
    await dispatching.query('COMMIT')
    const found = await Promise.race([handled, tooLate().catch(() => false)])
    await stop()
    return found
  }
  // A machine under load may commit it so late that only the next look finds it; not again and again.
  for (const key of ['first', 'second', 'third']) {
    await dispatching.query('BEGIN')
    await dispatching.query(
      `INSERT INTO symphony.messenger_messages_pending (id, message_type, transport_name, body)
       VALUES (gen_random_uuid(), 'Timed', 'supabase', jsonb_build_object('key', $1::text))`,
      [key],
    )
    if (await inTime(key)) return
  }
  expect.unreachable('a message waited for the next look each time')
})

test('nobody is notified while no worker waits', async () => {
  const channel = 'symphony_symphony'
  const ear = new pg.Client(database.directUrl)
  await ear.connect()
  onTestFinished(() => ear.end())
  const heard: unknown[] = []
  ear.on('notification', ({ payload }) => heard.push(payload))
  await ear.query(`LISTEN ${channel}`)
  await dispatchBatch(numbers(50).map((n) => ({ type: 'Later', payload: { n } })))
  await dispatch({ type: 'Later', payload: {} })
  const registry = new HandlerRegistry()
  registry.register('Later', () => undefined)
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 51 })
  // Notifications come in the order of their commits: what was sent before this one has been heard before it.
  await database.query(`SELECT pg_notify('${channel}', 'the end')`)
  await until('the last one is heard', () => heard.includes('the end'))
  expect(heard).toEqual(['the end'])

  const { picked } = startWorker()
  await until('a worker waits', async () => (await waiting()) === 1)
  await Promise.all([latency(picked), dispatchBatch(numbers(50).map((n) => ({ type: 'Later', payload: { n } })))])
  await until('notifications are heard here, too', () => heard.length > 1)
  expect(heard.length).toBeLessThan(10)
})

test('a listening connection that goes silent holds nothing up: polling goes on', async () => {
  await close()
  const relay = await startRelay(database.directUrl)
  setConfig({ database: { directUrl: `${relay.url}?sslmode=disable` } })
  onTestFinished(async () => {
    await close()
    setConfig({ database: { directUrl: database.directUrl } })
  })
  const { picked } = startWorker({ pollInterval: 100 })
  await until('a worker waits', async () => (await waiting()) === 1)
  relay.freeze()
  for (const _ of numbers(3)) await latency(picked)
  relay.thaw()
  await latency(picked)
})

/** A worker that only a notification wakes in time, and what is called when a message is picked up. */
function startWorker(options: WorkerOptions = {}) {
  const picked = new Map<string, () => void>()
  const registry = new HandlerRegistry()
  registry.register('Timed', ({ payload }) => picked.get(payload.key)?.())
  const worker = new Worker({ registry, pollInterval: POLL, handleSignals: false, ...options })
  const stop = async () => void (await worker.stop({ force: true }))
  onTestFinished(stop)
  void worker.start()
  return { picked, stop }
}

/** Milliseconds from the call of dispatch() to the start of the handler. Fails when only the next look could find it. */
async function latency(picked: Map<string, () => void>, place: DispatchOptions = {}): Promise<number> {
  const key = String(Math.random())
  const start = performance.now()
  const handled = new Promise<void>((resolve) => picked.set(key, resolve))
  await dispatch({ type: 'Timed', payload: { key } }, place)
  await Promise.race([handled, tooLate()])
  return performance.now() - start
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('nobody woke the worker')), POLL / 4).unref()
  })
}

async function latencies(picked: Map<string, () => void>, count: number): Promise<number[]> {
  const all: number[] = []
  for (const _ of numbers(count)) {
    all.push(await latency(picked))
    // Lets the worker find nothing, and wait.
    await sleep(20)
  }
  return all
}

/** The backends that listen for this database's workers. */
async function listeners(): Promise<number[]> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'symphony listener' AND query ~ '^LISTEN'`
  return (await database.query<{ pid: number }>(sql, [database.name])).map(({ pid }) => pid)
}

/** How many workers have said that they wait. */
async function waiting(): Promise<number> {
  return (await database.query('SELECT FROM symphony.messenger_workers WHERE waiting')).length
}

function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}
