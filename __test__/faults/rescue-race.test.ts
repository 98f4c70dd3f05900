import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { tell } from './support/figures.js'
import { between, numbers, oneOf, scaled } from './support/scale.js'
import { statement } from './support/statements.js'
import { until } from './support/until.js'

// The statements of the transport themselves, on two connections: nothing between them but Postgres.
const database = await createQueue()
const [one, two] = [await connect(), await connect()]
const ROUNDS = scaled(1000, 10_000)

const NOBODY = '00000000-0000-0000-0000-000000000000'
const NOTHING_COUNTED = '[]'
const DIVISION_BY_ZERO = '22012'
const SETTLE = {
  settle_finish: ({ id, token, worker }: Held) => [[id], [token], NOTHING_COUNTED, worker, []],
  settle_drop: ({ id, token, worker }: Held) => [[id], [token], NOTHING_COUNTED, worker],
  settle_return: ({ id, token, worker }: Held) => [
    [id],
    [token],
    NOTHING_COUNTED,
    worker,
    [1],
    [1000],
    ['refused'],
    ['Error'],
    [null],
    [false],
    [null],
    [1],
    [worker],
  ],
  settle_bury: ({ id, token, worker }: Held) => [
    [id],
    [token],
    NOTHING_COUNTED,
    worker,
    [randomUUID()],
    ['refused'],
    ['Error'],
    [null],
    [null],
    [1],
    [worker],
  ],
}
type Settle = keyof typeof SETTLE

beforeEach(async () => {
  // A test that failed may have left its transaction open.
  await Promise.all([one.query('ROLLBACK'), two.query('ROLLBACK')])
  await emptyTables(database, 'messenger_workers')
})

test('a rescue and an outcome at the same moment: never both', { timeout: 120_000 }, async () => {
  let rescued = 0
  for (const round of numbers(ROUNDS)) {
    const held = await holdExpired()
    const kind = oneOf(Object.keys(SETTLE) as Settle[])
    const [settled, returned] = await both(
      between(-3, 3),
      () => settle(one, kind, held),
      () => rescue(two),
    )
    expect(settled + returned, `round ${round}, ${kind}`).toBe(1)
    expect(await whereabouts(held.id)).toBe(returned === 1 ? 'suspect' : kind)
    rescued += returned
  }
  expect(rescued).toBeGreaterThan(ROUNDS / 100)
  expect(rescued).toBeLessThan(ROUNDS - ROUNDS / 100)
  tell('3 rescue race', { rounds: ROUNDS, rescued, settled: ROUNDS - rescued, both: 0, neither: 0 })
})

describe.each(Object.keys(SETTLE) as Settle[])('while %s', (kind) => {
  test('has not committed, a rescue passes over the message, and finds nothing once it has', async () => {
    const held = await holdExpired()
    await one.query('BEGIN')
    expect(await settle(one, kind, held)).toBe(1)
    expect(await rescue(two)).toBe(0)
    await one.query('COMMIT')
    expect(await rescue(two)).toBe(0)
    expect(await whereabouts(held.id)).toBe(kind)
  })

  test('is rolled back, the next rescue takes the message, though its worker is gone', async () => {
    const held = await holdExpired()
    await one.query('BEGIN')
    expect(await settle(one, kind, held)).toBe(1)
    expect(await rescue(two)).toBe(0)
    expect(await database.query('SELECT FROM symphony.messenger_workers')).toEqual([])
    await one.query('ROLLBACK')
    expect(await rescue(two)).toBe(1)
    expect(await whereabouts(held.id)).toBe('suspect')
  })

  test('waits for a rescue, it finds its fence shut', async () => {
    const held = await holdExpired()
    await two.query('BEGIN')
    expect(await rescue(two)).toBe(1)
    const settling = settle(one, kind, held)
    await isBlocked(one)
    await two.query('COMMIT')
    expect(await settling).toBe(0)
    expect(await whereabouts(held.id)).toBe('suspect')
  })
})

interface Held {
  id: string
  token: string
  worker: string
}

/** A message in the hands of a worker whose lease has just run out. */
async function holdExpired(): Promise<Held> {
  const [id, token, worker] = [randomUUID(), randomUUID(), randomUUID()]
  await database.query(
    `WITH worker AS (
       INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
       VALUES ($3, 'test', 1, '{supabase}', now() - interval '1 ms'))
     INSERT INTO symphony.messenger_messages_processing
       (id, status, transport_name, message_type, body, locked_at, locked_by, worker_id)
     VALUES ($1, 'processing', 'supabase', 'Any', '{}', now(), $2, $3)`,
    [id, token, worker],
  )
  return { id, token, worker }
}

/** How many messages it settled. A settling whose fence is shut is undone as a whole: see settlements/_all.sql. */
async function settle(client: pg.Client, kind: Settle, held: Held): Promise<number> {
  try {
    const { rows } = await client.query({ name: kind, text: statement(kind), values: SETTLE[kind](held) })
    return rows.length
  } catch (error) {
    if ((error as pg.DatabaseError).code === DIVISION_BY_ZERO) return 0
    throw error
  }
}

/** How many messages it took back. */
async function rescue(client: pg.Client): Promise<number> {
  // The core names the types of all parameters; here the two that are added up need it.
  const text = statement('rescue').replaceAll(/\$[34]\b/g, '$&::bigint')
  const { rows } = await client.query({ name: 'rescue', text, values: [3, NOBODY, 10, 0] })
  return Number(rows[0].returned)
}

/** Both at once; the second one `lag` turns of the event loop after the first, or before it. */
async function both<A, B>(lag: number, first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  const after = async <T>(turns: number, act: () => Promise<T>) => {
    for (let left = turns; left > 0; left -= 1) await turn()
    return act()
  }
  return Promise.all([after(-lag, first), after(lag, second)])
}

/** Which outcome the message shows. */
async function whereabouts(id: string): Promise<Settle | 'suspect'> {
  const [letter] = await database.query('SELECT FROM symphony.messenger_failed_messages WHERE message_id = $1', [id])
  const rows = await database.query('SELECT status, crash_count FROM symphony.messenger_messages WHERE id = $1', [id])
  expect(rows.length + (letter ? 1 : 0)).toBeLessThanOrEqual(1)
  if (letter) return 'settle_bury'
  const [row] = rows
  if (!row) return 'settle_drop'
  if (row.status === 'completed') return 'settle_finish'
  expect(row.status).toBe('pending')
  return row.crash_count === 1 ? 'suspect' : 'settle_return'
}

/** Waits until a connection waits for another one's lock. */
function isBlocked(client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  const sql = "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"
  return until('it is blocked', async () => (await database.query(sql, [processID])).length === 1)
}

/** A connection to the server itself: what is tested here holds a transaction open. */
async function connect(): Promise<pg.Client> {
  const client = new pg.Client(database.directUrl)
  await client.connect()
  afterAll(() => client.end())
  return client
}
