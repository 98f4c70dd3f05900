import { once } from 'node:events'
import { createServer } from 'node:net'
import { close, dispatch, HandlerRegistry, migrate, runDueSchedules, schedule, setConfig } from '@leadmap/symphony'
import { type Diagnosis, doctor, type Finding, getHealth, rollback } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { startProgram } from '../support/programs.js'
import { type Consumer, startConsumer } from './support/consumer.js'
import { FAKETIME, fakeTime } from './support/fake-time.js'
import { tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { createOwnQueue } from './support/own-server.js'
import { fill } from './support/queue.js'
import { startRelay } from './support/relay.js'
import { numbers } from './support/scale.js'
import { until } from './support/until.js'

// What is wrong here is wrong with a whole server, so it is one of its own.
const server = await createOwnQueue({}, { wal_level: 'logical', max_prepared_transactions: '5' })
const found = new Set<string>()

beforeEach(() => setConfig({ database: { url: server.url } }))
afterEach(close)

/** What is not as it should be. */
async function wrong(diagnosis: Promise<Diagnosis> = doctor()): Promise<Finding[]> {
  const { findings, status } = await diagnosis
  const troubles = findings.filter(({ severity }) => severity !== 'ok')
  const severities = new Set(troubles.map(({ severity }) => severity))
  expect(status).toBe(severities.has('error') ? 'error' : severities.has('warning') ? 'warning' : 'ok')
  for (const { check, message, remedy } of troubles) {
    expect(remedy, check).toBeTruthy()
    expect(message, check).not.toContain(remedy)
    found.add(check)
  }
  return troubles
}

/** Undone when the test is over, so that the next one begins with a healthy server. */
function undo(sql: string): void {
  onTestFinished(async () => {
    await server.query(sql)
  })
}

/** Kills it, and waits for the server: a heartbeat that was under way would bring the worker back. */
async function kill(victim: Consumer): Promise<void> {
  await victim.kill()
  await until('its sessions are gone', async () => {
    const sessions = await server.query(`SELECT FROM pg_stat_activity WHERE application_name = 'symphony+program'`)
    return sessions.length === 0
  })
}

test('a healthy queue: every check is named, and none complains', async () => {
  const { status, findings } = await doctor()
  expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([])
  expect(status).toBe('ok')
  const quick = (await getHealth()).findings.map(({ check }) => check)
  const thorough = ['version', 'clock', 'rights', 'rowSecurity', 'transactions', 'deadRows', 'retention']
  expect(findings.map(({ check }) => check)).toEqual(['pooler', ...quick, ...thorough])
})

test('nobody listens at the URL', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise((resolve) => listener.close(resolve))
  setConfig({ database: { url: `postgres://u:sesame@127.0.0.1:${port}/db` } })
  const [trouble, ...others] = await wrong()
  expect(trouble).toMatchObject({ check: 'database', severity: 'error', message: expect.stringContaining(`${port}`) })
  expect(others).toEqual([])
  expect(JSON.stringify(trouble)).not.toContain('sesame')
})

test('the password is wrong', async () => {
  const url = new URL(server.url)
  url.password = 'sesame'
  setConfig({ database: { url: url.href } })
  expect(await wrong()).toMatchObject([{ check: 'database', severity: 'error' }])
})

test('a migration is missing', async () => {
  const { version } = await migrate()
  await rollback({ to: version - 1 })
  const troubles = await wrong()
  expect(troubles).toMatchObject([
    { check: 'migrations', severity: 'error', remedy: expect.stringContaining('migrate()') },
  ])
  expect(troubles[0]?.message).toContain(`version ${version - 1} of ${version}`)
  await migrate()
  expect(await wrong()).toEqual([])
})

test('the schema is newer than this build', async () => {
  undo('DELETE FROM symphony.messenger_migrations WHERE version = 9999')
  await server.query(`INSERT INTO symphony.messenger_migrations (version, name) VALUES (9999, 'later')`)
  expect(await wrong()).toMatchObject([{ check: 'migrations', severity: 'warning' }])
})

test('anon may read a table', async () => {
  await server.query('CREATE ROLE anon NOLOGIN')
  undo('DROP OWNED BY anon; DROP ROLE anon')
  await server.query('GRANT USAGE ON SCHEMA symphony TO anon; GRANT SELECT ON symphony.messenger_messages TO anon')
  const troubles = await wrong()
  expect(troubles).toMatchObject([{ check: 'rights', severity: 'error', remedy: expect.stringContaining('REVOKE') }])
  expect(troubles[0]?.message).toContain('anon may select messenger_messages')
})

test('row level security is off', async () => {
  undo('ALTER TABLE symphony.messenger_workers ENABLE ROW LEVEL SECURITY')
  await server.query('ALTER TABLE symphony.messenger_workers DISABLE ROW LEVEL SECURITY')
  expect(await wrong()).toMatchObject([
    { check: 'rowSecurity', severity: 'warning', message: expect.stringContaining('messenger_workers') },
  ])
})

/** Lets a view of the server tell something else, until the test is finished. */
async function see(view: string, columns: string): Promise<void> {
  await server.query(`SET allow_system_table_mods = on; ALTER VIEW pg_catalog.${view} RENAME TO ${view}_as_it_is;
    CREATE VIEW pg_catalog.${view} AS SELECT ${columns} FROM pg_catalog.${view}_as_it_is`)
  undo(`SET allow_system_table_mods = on; DROP VIEW pg_catalog.${view};
    ALTER VIEW pg_catalog.${view}_as_it_is RENAME TO ${view}`)
}

test('an old transaction holds back vacuum', async () => {
  const other = new pg.Client({ connectionString: server.url, application_name: 'nightly report' })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await other.query('SELECT count(*) FROM symphony.messenger_messages')
  expect(await wrong()).toEqual([])
  // The transaction is real; only what is seen of its start lies two minutes back.
  const columns = 'pid, application_name, state, backend_xmin, backend_type'
  await see('pg_stat_activity', `${columns}, xact_start - interval '2 minutes' AS xact_start`)
  const troubles = await wrong()
  expect(troubles).toMatchObject([{ check: 'transactions', severity: 'warning' }])
  const { processID } = other as unknown as { processID: number }
  expect(troubles[0]?.message).toMatch(/12\d s \(pid \d+, "nightly report", idle in transaction\)/)
  expect(troubles[0]?.remedy).toContain(`pg_terminate_backend(${processID})`)
})

test('a prepared transaction was forgotten', async () => {
  await server.query(`BEGIN; CREATE TABLE forgotten (); PREPARE TRANSACTION 'forgotten'`)
  undo(`ROLLBACK PREPARED 'forgotten'`)
  expect(await wrong()).toEqual([])
  await see('pg_prepared_xacts', `gid, prepared - interval '2 minutes' AS prepared`)
  expect(await wrong()).toMatchObject([
    { check: 'transactions', severity: 'warning', remedy: expect.stringContaining('ROLLBACK PREPARED') },
  ])
})

test('a replication slot without a reader holds back vacuum', async () => {
  await server
    .query(`SELECT pg_create_logical_replication_slot('abandoned', 'test_decoding')`)
    .catch(() => server.query(`SELECT pg_create_logical_replication_slot('abandoned', 'pgoutput')`))
  undo(`SELECT pg_drop_replication_slot('abandoned')`)
  expect(await wrong()).toMatchObject([
    { check: 'transactions', message: expect.stringContaining('abandoned'), remedy: expect.stringContaining('drop') },
  ])
})

test('vacuum does not keep up', { timeout: 60_000 }, async () => {
  const table = 'symphony.messenger_messages_pending'
  await server.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`)
  // Of several statements each in turn: VACUUM wants no transaction around it.
  undo(`VACUUM ${table}`)
  undo(`TRUNCATE ${table}`)
  undo(`ALTER TABLE ${table} RESET (autovacuum_enabled)`)
  // Of one connection, which has to report what it did: by itself it may wait for ten seconds.
  await server.query(`INSERT INTO ${table} (id, transport_name, message_type, body)
    SELECT gen_random_uuid(), 'supabase', 'Old', '{}' FROM generate_series(1, 210000);
    DELETE FROM ${table}; SELECT pg_stat_force_next_flush()`)
  await until('the statistics know', async () => (await wrong()).length > 0)
  const troubles = await wrong()
  expect(troubles).toMatchObject([
    { check: 'deadRows', severity: 'warning', remedy: expect.stringContaining('VACUUM') },
  ])
  expect(troubles[0]?.message).toContain('messenger_messages_pending (210000 dead, 0 live)')
})

test('a worker died, and nobody has taken its messages', async () => {
  const journal = new Journal()
  await fill([{ n: 1, ms: 60_000 }])
  const victim = await startConsumer({ url: server.url, journal, lease: '1s' })
  await until('it holds it', () => journal.count('start') === 1)
  await kill(victim)
  undo('TRUNCATE symphony.messenger_workers, symphony.messenger_messages')
  await server.query(`UPDATE symphony.messenger_workers SET lease_until = now() - interval '90 s'`)
  const troubles = await wrong()
  expect(troubles).toMatchObject([{ check: 'staleWorkers', remedy: expect.stringContaining('consumeBatch()') }])
  expect(troubles[0]?.message).toMatch(new RegExp(`pid ${victim.process.pid} \\(9\\d s\\)`))
})

test('somebody truncated the table of workers, and what they held is held by nobody', async () => {
  const journal = new Journal()
  await fill([{ n: 1, ms: 60_000 }])
  const victim = await startConsumer({ url: server.url, journal, lease: '1m' })
  await until('it holds it', () => journal.count('start') === 1)
  await kill(victim)
  undo('TRUNCATE symphony.messenger_workers, symphony.messenger_messages')
  await server.query('TRUNCATE symphony.messenger_workers')
  expect(await wrong()).toMatchObject([
    {
      check: 'heldMessages',
      message: '1 claimed messages are held by nobody: their workers have no row in messenger_workers',
      remedy: expect.stringContaining('consumeBatch()'),
    },
  ])
})

test('nobody runs the schedules that are due', async () => {
  await schedule({ type: 'Report', payload: {} }, { cron: '0 9 * * *' }, { name: 'daily' })
  undo('TRUNCATE symphony.messenger_schedules, symphony.messenger_messages, symphony.messenger_deduplication')
  await server.query(`UPDATE symphony.messenger_schedules SET next_run_at = now() - interval '10 minutes'`)
  const troubles = await wrong(doctor({ registry: new HandlerRegistry() }))
  expect(troubles).toMatchObject([
    { check: 'overdueSchedules', severity: 'warning', remedy: expect.stringContaining('runDueSchedules()') },
  ])
  expect(troubles[0]?.message).toMatch(/daily \(60\d s\)/)
  expect(await runDueSchedules()).toMatchObject({ dispatched: 1 })
  expect(await wrong()).toMatchObject([{ check: 'unhandledTypes' }])
})

test('finished messages are past their retention, and nobody deletes them', async () => {
  const old = (id: string, when: string) =>
    server.query(`INSERT INTO symphony.messenger_messages (id, transport_name, message_type, body, status, processed_at)
                  VALUES ('${id}', 'supabase', 'Done', '{}', 'completed', ${when})`)
  undo('TRUNCATE symphony.messenger_messages')
  await old('00000000-0000-7000-8000-000000000001', "now() - interval '24 hours 50 minutes'")
  expect(await wrong()).toEqual([])
  await old('00000000-0000-7000-8000-000000000002', "now() - interval '30 hours'")
  expect(await wrong()).toMatchObject([
    {
      check: 'retention',
      severity: 'warning',
      message: 'kept longer than the retention: finished messages (6 h)',
      remedy: expect.stringContaining('cleanup()'),
    },
  ])
  await old('00000000-0000-7000-8000-000000000003', "'-infinity'")
  expect(await wrong()).toMatchObject([{ check: 'retention' }])
})

test('messages wait that nobody here handles', async () => {
  for (const _ of numbers(3)) await dispatch({ type: 'Forgotten', payload: {} })
  undo('TRUNCATE symphony.messenger_messages')
  const registry = new HandlerRegistry()
  registry.register('Known', () => undefined)
  const troubles = await wrong(doctor({ registry }))
  expect(troubles).toMatchObject([
    { check: 'unhandledTypes', severity: 'warning', remedy: expect.stringContaining('register') },
  ])
  expect(troubles[0]?.message).toContain('3 of type Forgotten')
})

test('the clock of this machine is ten minutes late', async ({ skip }) => {
  if (!FAKETIME) return skip('libfaketime is not installed (package libfaketime)')
  const program = startProgram('../faults/programs/doctor.mjs', {
    SYMPHONY_DATABASE_URL: server.url,
    ...fakeTime(-600_000),
  })
  const troubles = await wrong(program.next())
  expect(troubles).toMatchObject([{ check: 'clock', severity: 'warning', remedy: expect.stringContaining('NTP') }])
  expect(troubles[0]?.message).toMatch(/(600\.\d|599\.\d) s apart/)
})

test('a transaction pooler that the configuration does not know of', async ({ skip }) => {
  const pooler = await startPgbouncer(server.url)
  if ('missing' in pooler) return skip(pooler.missing)
  onTestFinished(pooler.stop)
  setConfig({ database: { url: pooler.url } })
  expect(await wrong()).toEqual([])

  // One on a port that tells nothing.
  const unknown = (await startRelay(pooler.url)).url
  await close()
  setConfig({ database: { url: unknown } })
  expect(await wrong()).toMatchObject([
    { check: 'pooler', severity: 'warning', remedy: expect.stringContaining('pgbouncer=true') },
  ])
  await close()
  setConfig({ database: { url: `${unknown}?pgbouncer=true` } })
  expect(await wrong()).toEqual([])

  // Said to be none.
  await close()
  setConfig({ database: { url: pooler.url, pooled: false } })
  const remedies = (await wrong()).filter(({ check }) => check === 'pooler').map(({ remedy }) => remedy)
  expect(remedies.join()).toContain('database.pooled')
})

test('every check but the version of the server has complained by now', () => {
  const provoked = [
    'database',
    'migrations',
    'rights',
    'rowSecurity',
    'transactions',
    'deadRows',
    'staleWorkers',
    'overdueSchedules',
    'retention',
    'unhandledTypes',
  ]
  expect([...found]).toEqual(expect.arrayContaining(provoked))
  tell('doctor', { 'checks provoked': found.size })
})
