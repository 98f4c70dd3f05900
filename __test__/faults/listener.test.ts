import { setTimeout as sleep } from 'node:timers/promises'
import { dispatch, HandlerRegistry, setConfig, Worker } from '@leadmap/symphony'
import { expect, onTestFinished, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { greatest, since, tell } from './support/figures.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
// Behind a pooler the listener has a connection of its own.
setConfig({ database: { directUrl: database.directUrl } })
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
    await database.query('SELECT pg_terminate_backend($1)', [pid])
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

/** A worker that only a notification wakes in time, and what is called when a message is picked up. */
function startWorker() {
  const picked = new Map<string, () => void>()
  const registry = new HandlerRegistry()
  registry.register('Timed', ({ payload }) => picked.get(payload.key)?.())
  const worker = new Worker({ registry, pollInterval: POLL, handleSignals: false })
  const stop = async () => void (await worker.stop({ force: true }))
  onTestFinished(stop)
  void worker.start()
  return { picked, stop }
}

/** Milliseconds from the call of dispatch() to the start of the handler. Fails when only the next look could find it. */
async function latency(picked: Map<string, () => void>): Promise<number> {
  const key = String(Math.random())
  const start = performance.now()
  const handled = new Promise<void>((resolve) => picked.set(key, resolve))
  await dispatch({ type: 'Timed', payload: { key } })
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

function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}
