import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  migrate,
  runDueSchedules,
  schedule,
  setConfig,
} from '@leadmap/symphony'
import { listFailed, migrationStatus, rollback } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../faults/support/until.js'
import { createDatabase, serverUrl, type TestDatabase } from '../support/database.js'
import { startProgram } from '../support/programs.js'

afterAll(close)

let database: TestDatabase

beforeEach(async () => {
  database = await createDatabase()
  setConfig({ database: { url: database.url, schema: 'symphony' } })
  return database.drop
})

const registry = new HandlerRegistry()
registry.register('Good', () => undefined)
registry.register('Bad', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))

/** All tables and views of this package, with their schema. */
async function relations(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname LIKE 'messenger\\_%' AND c.relkind IN ('r', 'p', 'v') ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

describe('migrate()', () => {
  test('from ten processes at once applies each migration once', async () => {
    const programs = Array.from({ length: 10 }, () =>
      startProgram('migrate.mjs', { SYMPHONY_DATABASE_URL: database.url }),
    )
    await Promise.all(programs.map(async (program) => expect(await program.next()).toBe('ready')))
    for (const program of programs) program.tell('go')
    const answers = await Promise.all(programs.map((program) => program.next()))
    for (const program of programs) expect(await program.ended).toMatchObject({ code: 0, errors: '' })

    const { version, latest, pending } = await migrationStatus()
    expect([version, pending]).toEqual([latest, []])
    expect(answers.every((answer) => answer.version === latest)).toBe(true)
    expect(answers.filter((answer) => answer.applied.length > 0)).toHaveLength(1)
    expect(answers.flatMap((answer) => answer.applied)).toHaveLength(latest)
    expect(await dispatch({ type: 'Good', payload: {} })).toMatchObject({ status: 'queued' })
  })

  test('says what it did, and does nothing the second time', async () => {
    const before = await migrationStatus()
    expect(before).toMatchObject({ version: 0, latest: before.pending.length })
    expect(before.pending[0]).toEqual({ version: 1, name: 'messages' })
    expect(await migrate()).toEqual({ applied: before.pending, version: before.latest })
    expect(await migrate()).toEqual({ applied: [], version: before.latest })
    expect(await migrationStatus()).toEqual({ version: before.latest, latest: before.latest, pending: [] })
  })

  test('can be called in the same moment by one process', async () => {
    const answers = await Promise.all([migrate(), migrate(), migrate()])
    expect(answers.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
  })

  test.each(['Queue', 'order', '_x1', 'x'.repeat(63)])(
    'puts everything into the schema %s, and nothing elsewhere',
    async (schema) => {
      setConfig({ database: { schema } })
      await migrate()
      expect((await relations()).every((name) => name.startsWith(`${schema}.`))).toBe(true)
      await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'key' })
      await dispatch({ type: 'Bad', payload: {} })
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, deadLettered: 1 })
      expect((await listFailed()).messages).toHaveLength(1)
      const [row] = await database.query(`SELECT count(*)::int AS n FROM "${schema}".messenger_messages`)
      expect(row).toEqual({ n: 1 })
      await rollback({ to: 0 })
      expect(await relations()).toEqual([])
    },
  )

  test('takes the schema as an option too', async () => {
    await migrate({ schema: 'another' })
    expect((await relations()).every((name) => name.startsWith('another.'))).toBe(true)
    await expect(migrate({ schema: 'no "good"' })).rejects.toMatchObject({ code: 'SYMPHONY_INVALID_CONFIGURATION' })
  })

  test('keeps two schemas in one database apart', async () => {
    for (const schema of ['one', 'two']) {
      setConfig({ database: { schema } })
      await migrate()
      await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'same key' })
    }
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    setConfig({ database: { schema: 'one' } })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  })
})

describe('migrate() beside transactions that use its tables', () => {
  let session: pg.Client

  const migrationWaits = () =>
    until('the migration waits', async () => {
      const waiting = await database.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      )
      return waiting.length > 0
    })

  beforeEach(async () => {
    await migrate()
    await rollback({ to: 7 })
    session = new pg.Client({ connectionString: database.directUrl })
    await session.connect()
    await session.query('BEGIN')
    return () => session.end()
  })

  test('begins again when it meets one of them in a deadlock', async () => {
    // So that the migration is the one to be ended.
    await session.query("SET LOCAL deadlock_timeout = '1 min'")
    await session.query('LOCK TABLE symphony.messenger_failed_messages IN ROW EXCLUSIVE MODE')
    const { latest } = await migrationStatus()
    const migrated = migrate()
    await migrationWaits()
    await session.query('LOCK TABLE symphony.messenger_messages_processing IN ROW EXCLUSIVE MODE')
    await session.query('COMMIT')
    expect(await migrated).toMatchObject({ version: latest })
  })

  test('lets the others through while one of them goes on and on, such as a backup', async () => {
    await session.query('LOCK TABLE symphony.messenger_messages_processing IN ACCESS SHARE MODE')
    const { latest } = await migrationStatus()
    const migrated = migrate()
    await migrationWaits()
    expect(await database.query('SELECT FROM symphony.messenger_messages_processing')).toEqual([])
    await session.query('COMMIT')
    expect(await migrated).toMatchObject({ version: latest })
  })
})

test('migrate() needs no right to create schemas where the schema is there', async () => {
  const role = `owner_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  // When its database is gone.
  onTestFinished(async () => {
    const server = new pg.Client(serverUrl())
    await server.connect()
    await server.query(`DROP ROLE ${role}`)
    await server.end()
  })
  await database.query(`CREATE SCHEMA symphony AUTHORIZATION ${role}`)
  const url = new URL(database.directUrl)
  url.username = role
  url.password = 'secret'
  setConfig({ database: { url: url.href } })
  const { version } = await migrate()
  expect(version).toBe((await migrationStatus()).latest)
  expect(await dispatch({ type: 'Good', payload: {} })).toMatchObject({ status: 'queued' })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
})

test('everything works with an empty search path', async () => {
  await database.query(`ALTER DATABASE ${database.name} SET search_path = ''`)
  await migrate()
  await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'a' })
  await dispatchBatch([{ type: 'Bad', payload: {} }])
  await schedule({ type: 'Good', payload: {} }, { at: Date.now() - 1000 }, { name: 'due' })
  expect(await runDueSchedules()).toMatchObject({ dispatched: 1 })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 2, deadLettered: 1 })
  expect((await listFailed()).messages).toHaveLength(1)
  expect(await rollback({ to: 0 })).toMatchObject({ version: 0 })
})

describe('rollback()', () => {
  test('takes back what came after a version, and 0 leaves nothing', async () => {
    const { version } = await migrate()
    const all = await relations()
    expect(await rollback({ to: version - 1 })).toMatchObject({ version: version - 1, reverted: [{ version }] })
    expect(await rollback({ to: version - 1 })).toEqual({ version: version - 1, reverted: [] })
    const { reverted } = await rollback({ to: 0 })
    expect(reverted.map((step) => step.version)).toEqual(Array.from({ length: version - 1 }, (_, n) => version - 1 - n))
    expect(await relations()).toEqual([])
    await migrate()
    expect(await relations()).toEqual(all)
  })

  test('and migrate() keep the messages, whatever version they stop at', async () => {
    const { version } = await migrate()
    await dispatchBatch(
      Array.from({ length: 10 }, (_, n) => ({ type: 'Good', payload: { n } })),
      { delay: 0 },
    )
    await dispatch({ type: 'Bad', payload: {} }, { idempotencyKey: 'key' })
    await consumeBatch({ registry, messageLimit: 4 })
    for (let to = version - 1; to >= 1; to -= 1) {
      expect(await rollback({ to })).toMatchObject({ version: to })
      expect(await migrate()).toMatchObject({ version })
    }
    const result = await consumeBatch({ registry })
    expect(result.succeeded + result.deadLettered).toBe(7)
    const [counts] = await database.query(
      `SELECT (SELECT count(*) FROM symphony.messenger_messages WHERE status = 'completed')::int AS completed,
              (SELECT count(*) FROM symphony.messenger_failed_messages)::int AS failed,
              (SELECT count(*) FROM symphony.messenger_deduplication WHERE first_seen_at > '-infinity')::int AS keys`,
    )
    expect(counts).toEqual({ completed: 10, failed: 1, keys: 1 })
  })
})
