import { readFileSync } from 'node:fs'
import { close, consumeBatch, dispatch, HandlerRegistry } from '@leadmap/symphony'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { readStatements } from '../../scripts/setup/statements.mjs'
import { statement } from '../faults/support/statements.js'
import { until } from '../faults/support/until.js'
import { truncate } from '../support/emptying.js'
import { createQueue } from '../support/symphony.js'

const database = await createQueue({ retention: { completed: 'none' } })
/** More than enough for Postgres to keep one plan for a statement. */
const QUIET_ROUNDS = 15
const BURST = 5000
const HANDLED = 500

// A session of its own, past any pooler: it keeps statements.
const session = new pg.Client(database.directUrl)
beforeAll(() => session.connect())
afterAll(() => session.end())

const registry = new HandlerRegistry()
registry.register('Any', () => undefined)
beforeEach(() => database.query('SELECT pg_stat_reset()'))

test.each([
  ['was never used', 0],
  ['was emptied', 1000],
])('a burst after a quiet time is not read as a whole by each claim, where the queue %s before', async (_, earlier) => {
  await truncate(database, ['messenger_messages'])
  // No statistics come to the rescue, as they do a minute later.
  await database.query('ALTER TABLE symphony.messenger_messages_pending SET (autovacuum_enabled = false)')
  await vacuum()
  await handleOneByOne(QUIET_ROUNDS)
  await fill(earlier)
  await consumeBatch({ registry, batchSize: 500 })
  if (earlier > 0) await vacuum()
  await handleOneByOne(QUIET_ROUNDS)
  await fill(BURST)
  expect(await consumeBatch({ registry, batchSize: 50, messageLimit: HANDLED })).toMatchObject({ succeeded: HANDLED })
  await endSessions()
  await until('all is told', async () => (await figures()).deleted >= 2 * QUIET_ROUNDS + earlier + HANDLED)
  // What is left is counted once at the end.
  expect((await figures()).read).toBeLessThan(3 * BURST)
})

test('workers that come and go do not read what others hold', async () => {
  await truncate(database, ['messenger_messages'])
  await database.query(
    `INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
     VALUES (gen_random_uuid(), 'elsewhere', 1, '{supabase}', now() + interval '1 hour')`,
  )
  await database.query(
    `INSERT INTO symphony.messenger_messages_processing
       (id, message_type, transport_name, queue_name, body, status, locked_at, locked_by, worker_id)
     SELECT gen_random_uuid(), 'Any', 'supabase', 'default', '{}', 'processing', now(), gen_random_uuid(), w.id
     FROM symphony.messenger_workers w, generate_series(1, $1) WHERE w.host = 'elsewhere'`,
    [BURST],
  )
  await dispatch({ type: 'Any', payload: {} })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  await endSessions()
  await until('all is told', async () => (await figures()).deleted >= 1)
  // Its own message, to settle it; nothing of the other worker's, neither for a rescue nor to leave.
  const [row] = await database.query<{ read: number; found: number }>(
    `SELECT seq_tup_read::int AS read, idx_tup_fetch::int AS found
     FROM pg_stat_user_tables WHERE relname = 'messenger_messages_processing'`,
  )
  expect(row?.read).toBe(0)
  expect(row?.found).toBeLessThan(10)
})

/** What a session has read is told when it ends, at the latest; a pooler's would go on. */
async function endSessions(): Promise<void> {
  await close()
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'symphony%'`,
  )
}

async function handleOneByOne(messages: number): Promise<void> {
  for (let n = 0; n < messages; n += 1) {
    await dispatch({ type: 'Any', payload: {} })
    await consumeBatch({ registry })
  }
}

/** Makes the statistics those of an empty table. */
async function vacuum(): Promise<void> {
  await database.query('VACUUM ANALYZE symphony.messenger_messages_pending')
}

async function fill(messages: number): Promise<void> {
  await database.query(
    `INSERT INTO symphony.messenger_messages_pending (id, message_type, transport_name, queue_name, body)
     SELECT gen_random_uuid(), 'Any', 'supabase', 'default', '{}' FROM generate_series(1, $1)`,
    [messages],
  )
}

/** Rows that were deleted, and rows that were read for whatever reason. */
async function figures(): Promise<{ deleted: number; read: number }> {
  const [row] = await database.query<{ deleted: number; read: number }>(
    `SELECT n_tup_del::int AS deleted, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read
     FROM pg_stat_user_tables WHERE relname = 'messenger_messages_pending'`,
  )
  return row ?? { deleted: 0, read: 0 }
}

/** Tables that stay small, and statements that are meant to look at everything. */
const SMALL = ['workers', 'transports', 'notifications', 'circuits', 'controls'].map((name) => `messenger_${name}`)
const MEANT = [
  'schedules_prune messenger_schedules',
  'depth messenger_messages_processing',
  'ever_counted messenger_totals',
  'note_depths messenger_messages_processing',
  'releases messenger_releases',
]

test('every statement reads tables that may be large by an index, in the plan that is made while they are empty', async () => {
  // Emptied, with what is left of its indexes.
  await fill(BURST)
  await database.query('DELETE FROM symphony.messenger_messages')
  await session.query('VACUUM ANALYZE')
  // As every direct connection has it.
  await session.query('SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan')
  const statements = readStatements()
  const listed = readFileSync(at('src/backends/postgres/sql/mod.rs'), 'utf8').match(/^ {4}\w+ in "/gm)
  expect(statements.size).toBe(listed?.length)
  const scans: string[] = []
  const joins: string[] = []
  for (const [name, { parameters }] of statements) {
    const list = (items: string[]) => (items.length > 0 ? `(${items.join(', ')})` : '')
    await session.query(`PREPARE ${name}_ ${list(parameters)} AS ${statement(name)}`)
    const plan = await session.query(`EXPLAIN EXECUTE ${name}_ ${list(parameters.map(() => 'NULL'))}`)
    const lines = plan.rows.map((row) => row['QUERY PLAN']).join('\n')
    // Who is to be woken is asked once for each transport.
    const settling = lines.replace(/^ {2}CTE woken\n(?: {4}.*\n)*/m, '')
    if (name.startsWith('settle_') && /Join|Nested Loop/.test(settling)) joins.push(name)
    scans.push(...[...lines.matchAll(/(?:Seq|Bitmap Heap) Scan on (\w+)/g)].map(([, table]) => `${name} ${table}`))
  }
  // With each other, lists of a thousand that are believed to hold one or ten take a million steps.
  expect(joins).toEqual([])
  expect(scans.filter((scan) => !MEANT.includes(scan) && !SMALL.some((table) => scan.endsWith(table)))).toEqual([])
})
