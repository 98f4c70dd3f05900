import { dispatch, HandlerRegistry, Worker } from '@leadmap/symphony'
import { expect, onTestFinished, test } from 'vitest'
import { isPooled } from '../support/database.js'
import { startProgram } from '../support/programs.js'
import { createQueue } from '../support/symphony.js'

const database = await createQueue({ database: { idleTimeout: '200ms' } })

/** The connections of the package in this database, by their name. */
async function connections(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'symphony%' ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

test('connections that nobody uses are closed, and opened again when they are needed', async ({ skip }) => {
  skip(isPooled(), 'a pooler keeps its own connections')
  await Promise.all(Array.from({ length: 3 }, (_, n) => dispatch({ type: 'Any', payload: { n } }, { queue: `q${n}` })))
  expect((await connections()).length).toBeGreaterThan(0)
  await expect.poll(connections).toEqual([])
  expect(await dispatch({ type: 'Any', payload: {} })).toMatchObject({ status: 'queued' })
})

test('a worker that waits keeps the connection that wakes it', async ({ skip }) => {
  skip(isPooled(), 'a transaction pooler keeps no session to listen on')
  const handled: unknown[] = []
  const registry = new HandlerRegistry()
  registry.register('Woken', ({ payload }) => void handled.push(payload.n))
  const worker = new Worker({ registry, pollInterval: '1h', handleSignals: false })
  onTestFinished(async () => void (await worker.stop()))
  await worker.start()
  await expect.poll(connections).toEqual(['symphony listener'])
  await dispatch({ type: 'Woken', payload: { n: 1 } })
  await expect.poll(() => handled).toEqual([1])
})

test('the server ends the connections of a process that is frozen, which goes on with others', async ({ skip }) => {
  skip(isPooled(), 'a pooler keeps its own connections')
  await expect.poll(connections).toEqual([])
  const url = new URL(database.url)
  url.searchParams.set('application_name', 'symphony frozen')
  const program = startProgram('dispatch-when-told.mjs', {
    SYMPHONY_DATABASE_URL: url.href,
    SYMPHONY_IDLE_TIMEOUT: '1s',
  })
  // The first statement of a process leaves nothing on its connection: nobody knows yet that no pooler is in between.
  for (const line of ['one', 'two']) {
    program.tell(line)
    expect(await program.next()).toBe('queued')
  }
  program.process.kill('SIGSTOP')
  expect(await connections()).not.toEqual([])
  await expect.poll(connections).toEqual([])
  program.process.kill('SIGCONT')
  program.tell('three')
  expect(await program.next()).toBe('queued')
})
