import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { close, dispatch, setConfig, TransportError } from '@leadmap/symphony'
import { getHealth } from '@leadmap/symphony/admin'
import { expect, onTestFinished, test } from 'vitest'
import { truncate } from '../support/emptying.js'
import { startConsumer } from './support/consumer.js'
import { greatest, since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { createOwnQueue } from './support/own-server.js'
import { dispatchOn } from './support/producer.js'
import { ended, fill, isDone, tally } from './support/queue.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createOwnQueue()
const { postgres } = database
const OUTAGES = scaled(2, 5)
const MESSAGES = scaled(3000, 20_000)
const CONSUMERS = 3

test('Postgres is killed and restarted again and again during a drain: the same processes finish it', {
  timeout: 300_000,
}, async () => {
  const journal = new Journal()
  await fill(numbers(MESSAGES).map((n) => ({ n, ms: between(5, 25) })))
  const begun = performance.now()
  const options = { url: database.url, journal, lease: '5s', concurrency: 10, batchSize: 25 }
  const consumers = await Promise.all(numbers(CONSUMERS).map(() => startConsumer(options)))
  const dispatcher = dispatchOn(MESSAGES)

  const down: number[] = []
  for (const outage of numbers(OUTAGES)) {
    const mark = (MESSAGES * (outage + 1)) / (OUTAGES + 1)
    await until('it is time for the next outage', () => journal.count('end') >= mark, { patience: 120_000, pause: 50 })
    const gone = performance.now()
    await postgres.kill('immediate')
    await sleep(between(0, 500))
    await postgres.restart()
    await database.isBack()
    down.push(since(gone))
  }
  const { stored, refused } = await dispatcher.stop()
  const all = MESSAGES + stored.length

  await until('everything is done', () => isDone(database))
  const took = since(begun)
  for (const { process } of consumers) expect(process.exitCode ?? process.signalCode).toBeNull()
  const results = await Promise.all(consumers.map((consumer) => consumer.stop()))

  // What was refused may have been stored without anybody knowing; what was confirmed must be there.
  const done = await ended(database)
  expect(new Set(done).size).toBe(done.length)
  const missing = [...numbers(MESSAGES), ...stored].filter((n) => !new Set(done).has(n))
  expect(missing).toEqual([])
  const { completed, dead } = await tally(database)
  expect(dead).toBe(0)
  const runs = journal.runs()
  for (const n of done) expect(runs.get(n)?.some((run) => run.ended)).toBe(true)

  tell('4 outages', {
    messages: MESSAGES,
    outages: OUTAGES,
    'ms down': down.join('/'),
    'dispatched during it': stored.length,
    'refused meanwhile': refused,
    'stored though refused': completed - all,
    completed,
    dead,
    lost: missing.length,
    'processes that died': 0,
    'handled twice': [...runs.values()].filter((each) => each.length > 1).length,
    'lost outcomes': results.reduce((sum, { lost }) => sum + lost, 0),
    'ms in all': took,
  })
})

test('an outage longer than the lease is not a crash: the living keep what they hold', {
  timeout: 60_000,
}, async () => {
  await truncate(database, ['messenger_messages', 'messenger_workers'])
  const journal = new Journal()
  // Their handlers run right through it.
  const work = numbers(4).map((n) => ({ n, ms: 6000 }))
  await fill(work)
  const options = { url: database.url, journal, lease: '1s', concurrency: 1, batchSize: 1, poll: 50 }
  const consumers = await Promise.all(numbers(2).map(() => startConsumer(options)))
  await until('both have begun', () => journal.count('start') === 2)
  await postgres.kill('immediate')
  await sleep(2500)
  await postgres.restart()
  await database.isBack()
  await until('everything is done', () => isDone(database))
  const results = await Promise.all(consumers.map((consumer) => consumer.stop()))
  expect(results.reduce((sum, { lost }) => sum + lost, 0)).toBe(0)
  for (const runs of journal.runs().values()) expect(runs).toHaveLength(1)
  const suspects = await database.query('SELECT FROM symphony.messenger_messages WHERE crash_count > 0')
  expect(suspects).toEqual([])
  tell('4 outage longer than the lease', {
    messages: work.length,
    'lease in ms': 1000,
    'ms down': 2500,
    'handled twice': 0,
  })
})

test('dispatch() fails within its time limit while the server is down, and works when it is back', async () => {
  await dispatch({ type: 'Other', payload: {} })
  await postgres.kill('immediate')
  const took: number[] = []
  for (const _ of numbers(5)) {
    const start = performance.now()
    const refusal = await dispatch({ type: 'Other', payload: {} }).catch((error: unknown) => error)
    took.push(since(start))
    expect(refusal).toBeInstanceOf(TransportError)
    expect(refusal).toMatchObject({ message: expect.stringMatching(/cannot connect to Postgres at 127\.0\.0\.1:\d+/) })
  }
  expect(greatest(took)).toBeLessThan(10_000)
  await postgres.restart()
  await database.isBack()
  expect(await dispatch({ type: 'Other', payload: {} })).toMatchObject({ status: 'queued' })
  tell('4 dispatch, server down', { 'ms until it fails, at most': greatest(took) })
})

test('the health is an error while the server is down, and ok with the first answer after it', async () => {
  await truncate(database, ['messenger_messages', 'messenger_workers'])
  const consumer = await startConsumer({
    url: database.url,
    journal: new Journal(),
    lease: '5s',
    concurrency: 1,
    batchSize: 1,
  })
  await expect.poll(async () => (await getHealth()).status).toBe('ok')
  await postgres.kill('immediate')
  expect(await getHealth()).toMatchObject({ status: 'error', findings: [{ check: 'database' }] })
  await postgres.restart()
  await database.isBack()
  const { status, findings } = await getHealth()
  expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([])
  expect(status).toBe('ok')
  await consumer.stop()
})

test('dispatch() fails within its time limit when the server says nothing at all', async () => {
  const { port, server } = await startMuteServer()
  await close()
  setConfig({ database: { url: `postgres://u:p@127.0.0.1:${port}/db?sslmode=disable`, connectTimeout: '1s' } })
  const start = performance.now()
  const refusal = await dispatch({ type: 'Other', payload: {} }).catch((error: unknown) => error)
  const took = since(start)
  expect(refusal).toBeInstanceOf(TransportError)
  expect((refusal as TransportError).message).toMatch(/did not answer in time/)
  expect(took).toBeLessThan(2000)
  expect(server.listening).toBe(true)
  tell('4 dispatch, server mute', { 'connectTimeout in ms': 1000, 'ms until it fails': took })
})

/** A server that takes connections and never answers. */
async function startMuteServer() {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port: (server.address() as { port: number }).port }
}
