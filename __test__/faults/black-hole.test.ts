/** Hosts and wires that answer nothing at all: packets are dropped, connections stay open, and nobody is told. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { close, dispatch, HandlerRegistry, setConfig, TransportError, Worker } from '@leadmap/symphony'
import { doctor, listFailed } from '@leadmap/symphony/admin'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { startProxy } from '../scheduler/support/proxy.js'
import { startProgram } from '../support/programs.js'
import { emptyTables } from '../support/symphony.js'
import { startConsumer } from './support/consumer.js'
import { greatest, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { buildNetwork } from './support/network.js'
import { createOwnQueue } from './support/own-server.js'
import { ended, fill, isDone, tally } from './support/queue.js'
import { startRelay } from './support/relay.js'
import { numbers } from './support/scale.js'
import { until } from './support/until.js'

const database = await createOwnQueue({}, { listen_addresses: '*' })
/** In milliseconds, of a connection and of a statement. */
const LIMIT = 1000
const SILENT = /^SYMPHONY_(TIMEOUT|CONNECTION_FAILED)$/
const limits = { SYMPHONY_CONNECT_TIMEOUT: String(LIMIT), SYMPHONY_STATEMENT_TIMEOUT: String(LIMIT) }

beforeEach(async () => {
  setConfig({ database: { url: database.url } })
  await emptyTables(database, 'messenger_workers')
})
afterEach(close)

/** A network to the server that can drop packets, and the server's URL over it. */
async function networkToServer() {
  const network = await buildNetwork()
  if ('missing' in network) return network
  appendFileSync(join(database.postgres.dataDir, 'pg_hba.conf'), `host all all ${network.clients} scram-sha-256\n`)
  await database.query('SELECT pg_reload_conf()')
  const url = new URL(database.url)
  url.hostname = network.server
  return { ...network, url: url.href }
}

/** Dispatches from another process, one after the other. */
async function startDispatcher(url: string, within: readonly string[]) {
  const environment = { SYMPHONY_DATABASE_URL: url, ...limits }
  const program = startProgram('../faults/programs/dispatch.mjs', environment, within)
  expect(await program.next()).toBe('ready')
  return (n: number) => {
    program.tell(JSON.stringify({ payload: { n } }))
    return program.next()
  }
}

test('dispatch() to a host that drops packets fails within its time limit, and works when the way is back', {
  timeout: 60_000,
}, async ({ skip }) => {
  const network = await networkToServer()
  if ('missing' in network) return skip(network.missing)
  const [seasoned, fresh] = await Promise.all([
    startDispatcher(network.url, network.client),
    startDispatcher(network.url, network.client),
  ])
  expect(await seasoned(0)).toHaveProperty('availableAt')
  network.drop()
  const took: Record<string, number[]> = { seasoned: [], fresh: [] }
  // One has a connection that goes silent; the other finds nobody to connect to.
  for (const [name, send] of Object.entries({ seasoned, fresh })) {
    for (const _ of numbers(2)) {
      const { refused, ms } = await send(1)
      expect(refused).toMatchObject({ name: 'TransportError', code: expect.stringMatching(SILENT) })
      took[name]?.push(ms)
    }
  }
  const silence = await fresh(1)
  expect(silence.refused.message).toMatch(/cannot connect to Postgres at 10\..*(did not answer in time|timed out)/)
  // A statement's limit, a second for the server's own word, and one for its answer to the cancellation.
  for (const ms of Object.values(took).flat()) expect(ms).toBeLessThan(LIMIT + 5000)

  network.restore()
  const confirmed: number[] = []
  for (const [index, send] of [seasoned, fresh].entries()) {
    await until('it dispatches again', async () => {
      const { refused } = await send(10 + index)
      if (!refused) confirmed.push(10 + index)
      return !refused
    })
  }
  const rows = await database.query<{ n: number }>(
    "SELECT (body ->> 'n')::int AS n FROM symphony.messenger_messages_pending",
  )
  const stored = rows.map(({ n }) => n)
  expect(stored).toEqual(expect.arrayContaining([0, ...confirmed]))
  tell('4 dispatch, packets dropped', {
    'limit in ms': LIMIT,
    'ms until it fails, connected before': greatest(took.seasoned ?? []),
    'ms until it fails, not connected': greatest(took.fresh ?? []),
    lost: 0,
  })
})

test('a worker cut off from its host loses its lease, and works on when the way is back; nothing is lost', {
  timeout: 120_000,
}, async ({ skip }) => {
  const network = await networkToServer()
  if ('missing' in network) return skip(network.missing)
  const HELD = 8
  const journal = new Journal()
  const options = { journal, lease: '2s', concurrency: HELD, batchSize: HELD, poll: 50, environment: limits }
  await fill(numbers(HELD).map((n) => ({ n, ms: 3_600_000 })))
  const cutOff = await startConsumer({ ...options, url: network.url, within: network.client })
  await until('it holds them all', () => journal.count('start') === HELD)
  network.drop()
  await until('it says that nobody answers', () => journal.count('error') > 0)
  const heir = await startConsumer({ ...options, url: database.url, environment: { HASTE: '1' } })
  await until('another has done what it held', () => isDone(database))
  await heir.stop()
  expect(journal.count('aborted')).toBe(0)
  network.restore()

  await until('it hears what it has lost', () => journal.count('aborted') === HELD)
  await fill(numbers(HELD).map((n) => ({ n: HELD + n, ms: 10 })))
  await until('it works on', () => isDone(database))
  expect(await cutOff.stop()).toMatchObject({ succeeded: HELD, lost: HELD, lostInStats: HELD })
  expect(await ended(database)).toEqual(numbers(2 * HELD))
  expect(await tally(database)).toMatchObject({ completed: 2 * HELD, dead: 0 })
  const runs = [...journal.runs().entries()]
  // Begun twice is what it held when it was declared dead, and nothing else.
  expect(runs.filter(([, each]) => each.length > 1).map(([n]) => n)).toEqual(numbers(HELD))
  tell('4 worker, packets dropped', { messages: 2 * HELD, 'held when cut off': HELD, lost: 0, 'leases lost': HELD })
})

test('a host that is gone with all connections costs one call, not one for each connection', async () => {
  const relay = await startRelay(database.url)
  await close()
  const open = 4
  const limits = { statementTimeout: LIMIT, connectTimeout: LIMIT }
  // Questions have half of the pool.
  setConfig({ database: { url: `${relay.url}?sslmode=disable`, poolSize: 2 * open, ...limits } })
  await until('so many connections are open', async () => {
    await Promise.all(numbers(open).map(() => listFailed()))
    return relay.connections() >= open
  })
  // From here on another host answers at the address.
  relay.silence()
  await expect(listFailed()).rejects.toMatchObject({ code: 'SYMPHONY_TIMEOUT' })
  expect(await dispatch({ type: 'Other', payload: {} })).toMatchObject({ status: 'queued' })
})

test('a server that goes silent right after the login is not waited for', async () => {
  let silent = false
  const proxy = await startProxy(new URL(database.url), { statement: 1, when: 'before' }, () => {
    silent = true
  })
  onTestFinished(proxy.close)
  await close()
  setConfig({ database: { url: proxy.url, statementTimeout: LIMIT, connectTimeout: LIMIT } })
  const refusal = await dispatch({ type: 'Other', payload: {} }).catch((error: unknown) => error)
  expect(silent).toBe(true)
  expect(refusal).toBeInstanceOf(TransportError)
  expect(refusal).toMatchObject({ code: expect.stringMatching(SILENT) })
})

test('doctor() over a wire that went silent says so', async () => {
  const relay = await startRelay(database.url)
  await close()
  setConfig({ database: { url: `${relay.url}?sslmode=disable`, statementTimeout: LIMIT, connectTimeout: LIMIT } })
  const reached = async () => (await doctor()).findings.find(({ check }) => check === 'database')
  expect(await reached()).toMatchObject({ severity: 'ok' })
  relay.freeze()
  expect(await reached()).toMatchObject({ severity: 'error', message: expect.stringMatching(/took longer than/) })
})

test('LISTEN comes back from a server that took the connection and said nothing', { timeout: 60_000 }, async () => {
  const relay = await startRelay(database.url)
  await close()
  const directUrl = `${relay.url}?sslmode=disable`
  setConfig({ database: { url: database.url, directUrl, connectTimeout: LIMIT } })
  const listeners = () =>
    database.query("SELECT FROM pg_stat_activity WHERE application_name = 'symphony listener' AND query LIKE 'LISTEN%'")
  const registry = new HandlerRegistry()
  registry.register('Work', () => undefined)
  const worker = new Worker({ registry, pollInterval: '1h' })
  const running = worker.run()
  onTestFinished(async () => {
    await worker.stop()
    await running
  })
  await until('it listens', async () => (await listeners()).length === 1)
  relay.freeze()
  relay.cut()
  await until('it listens no more', async () => (await listeners()).length === 0)
  await until('it has connected to nobody', () => relay.connections() >= 1)
  relay.silence()
  await until('it listens again', async () => (await listeners()).length === 1, { patience: 20_000 })
})
