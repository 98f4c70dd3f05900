import { dispatch } from '@leadmap/symphony'
import { beforeEach, expect, test } from 'vitest'
import { type Program, startProgram } from '../support/programs.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()
beforeEach(() => emptyTables(database))

/** Within so many milliseconds all processes follow a switch. */
const A_SECOND = 1_000

/** The same for a machine that is busy with other things; still far from the poll interval of a minute. */
const SOON = 5_000

/** Switches a transport for everybody, and says when that was, by the clock of the database. */
async function put(name: string, enabled: boolean): Promise<number> {
  await database.query(
    `INSERT INTO symphony.messenger_transports (name, type, enabled) VALUES ($1, 'postgres', $2)
     ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled`,
    [name, enabled],
  )
  return now()
}

/** What the clock of the database says. */
async function now(): Promise<number> {
  const [row] = await database.query<{ at: Date }>('SELECT clock_timestamp() AS at')
  return Number(row?.at)
}

/** When a message was claimed, by the same clock. */
async function claimedAt(line: string): Promise<number> {
  const [row] = await database.query<{ at: Date }>(
    `SELECT locked_at AS at FROM symphony.messenger_messages_finished WHERE body ->> 'line' = $1`,
    [line],
  )
  return Number(row?.at)
}

/** The messages of a transport that wait. */
async function waiting(transport: string): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `SELECT body ->> 'line' AS line FROM symphony.messenger_messages_pending WHERE transport_name = $1 ORDER BY id`,
    [transport],
  )
  return rows.map(({ line }) => line)
}

/** Has a program dispatch until its answer is this one, and says how often it was not. */
async function dispatchUntil(dispatcher: Program, line: string, wanted: string): Promise<number> {
  for (let others = 0; ; others++) {
    dispatcher.tell(line)
    if ((await dispatcher.next()) === wanted) return others
  }
}

test('a transport that one process switches off is off for the worker and the dispatcher of others', async () => {
  await put('mail', true)
  const environment = { SYMPHONY_DATABASE_URL: database.url }
  const worker = startProgram('work-until-told.mjs', environment)
  const dispatcher = startProgram('dispatch-when-told.mjs', { ...environment, TEST_TRANSPORT: 'mail' })
  expect(await worker.next()).toBe('idle')
  dispatcher.tell('first')
  expect(await dispatcher.next()).toBe('queued')
  expect(await worker.next()).toBe('first')
  await dispatch({ type: 'Told', payload: { line: 'late' } }, { transport: 'mail', delay: '1h' })

  const off = await put('mail', false)
  await dispatchUntil(dispatcher, 'early', 'SYMPHONY_TRANSPORT_DISABLED')
  expect((await now()) - off).toBeLessThan(SOON)
  await expect.poll(now).toBeGreaterThan(off + A_SECOND)
  // Nothing is claimed any more, although the worker is at work.
  await database.query(
    `UPDATE symphony.messenger_messages_pending SET available_at = now() WHERE body ->> 'line' = 'late'`,
  )
  const left = await waiting('mail')
  const handled: string[] = []
  for (const line of ['pass', 'by']) {
    await dispatch({ type: 'Told', payload: { line } })
    do handled.push(await worker.next())
    while (handled.at(-1) !== line)
  }
  expect(await waiting('mail')).toEqual(left)
  expect(left).toContain('late')
  expect(handled).not.toContain('late')

  const on = await put('mail', true)
  await expect.poll(() => waiting('mail')).toEqual([])
  await expect.poll(() => claimedAt('late')).toBeGreaterThan(on)
  expect((await claimedAt('late')) - on).toBeLessThan(SOON)
  await dispatchUntil(dispatcher, 'last', 'queued')
  expect((await now()) - on).toBeLessThan(SOON)
  await expect.poll(() => claimedAt('last')).toBeGreaterThan(on)
  worker.tell('stop')
  expect(await worker.ended).toMatchObject({ code: 0, errors: '' })
})

test('a worker that nobody wakes goes on within a second, however long its poll interval is', async () => {
  await put('mail', true)
  const worker = startProgram('work-until-told.mjs', {
    SYMPHONY_DATABASE_URL: database.url,
    TEST_TRANSPORT: 'mail',
    TEST_LISTEN: 'false',
  })
  expect(await worker.next()).toBe('idle')
  const delays: number[] = []
  for (const line of ['1', '2', '3', '4']) {
    // This process, too, may need its second until it knows that the transport is on.
    const send = () => dispatch({ type: 'Told', payload: { line } }, { transport: 'mail', delay: '1h' })
    await expect.poll(() => send().catch(() => undefined)).toBeDefined()
    const off = await put('mail', false)
    await expect.poll(now).toBeGreaterThan(off + A_SECOND)
    await database.query('UPDATE symphony.messenger_messages_pending SET available_at = now()')
    const on = await put('mail', true)
    expect(await worker.next()).toBe(line)
    await expect.poll(() => claimedAt(line)).toBeGreaterThan(on)
    delays.push((await claimedAt(line)) - on)
  }
  // On average: by itself it looks for what dead workers hold, every 5 s.
  expect(delays.reduce((sum, it) => sum + it) / delays.length, `${delays} ms`).toBeLessThan(A_SECOND)
})
