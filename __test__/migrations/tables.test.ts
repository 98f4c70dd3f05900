import { randomBytes } from 'node:crypto'
import { close, consumeBatch, dispatch, dispatchBatch, HandlerRegistry } from '@leadmap/symphony'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { truncate } from '../support/emptying.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres' } } })

beforeEach(() => emptyTables(database))
// The rows of messenger_transports are read again by the next call.
afterEach(close)

const message = { type: 'Any', payload: {} }

describe('a row of messenger_transports', () => {
  const insert = (name: string, enabled = true, config = {}) =>
    database.query('INSERT INTO symphony.messenger_transports (name, type, config, enabled) VALUES ($1, $2, $3, $4)', [
      name,
      'postgres',
      config,
      enabled,
    ])

  test('adds a transport that no configuration names', async () => {
    await insert('from-a-row', true, { queue: 'rows', priority: 9 })
    expect(await dispatch(message, { transport: 'from-a-row' })).toMatchObject({ queue: 'rows', priority: 9 })
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  })

  test('disables one that the configuration has', async () => {
    await insert('email', false)
    await expect(dispatch(message, { transport: 'email' })).rejects.toMatchObject({
      code: 'SYMPHONY_TRANSPORT_DISABLED',
      message: expect.stringMatching(/"email" is disabled: set `enabled` to true/),
    })
  })

  test('counts in a running process within seconds', async () => {
    await dispatch(message, { transport: 'email' })
    await insert('email', false)
    await insert('new', true)
    const status = (transport: string) =>
      dispatch(message, { transport }).then(
        ({ status }) => status,
        ({ code }) => code,
      )
    expect(await status('new')).toBe('SYMPHONY_UNKNOWN_TRANSPORT')
    await expect.poll(() => status('new'), { interval: 100 }).toBe('queued')
    expect(await status('email')).toBe('SYMPHONY_TRANSPORT_DISABLED')
  })

  test('with a configuration that does not fit is refused by its name', async () => {
    await insert('odd', true, { quue: 'typo' })
    await expect(dispatch(message, { transport: 'odd' })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/odd.*quue/),
    })
  })
})

describe('the views', () => {
  test('answer', async () => {
    await dispatchBatch([message, message, { type: 'Bad', payload: {} }])
    await dispatch(message, { delay: '1h', queue: 'later' })
    const registry = new HandlerRegistry()
    registry.register('Bad', () => Promise.reject(Object.assign(new TypeError('no'), { status: 400 })))
    await consumeBatch({ registry })
    await database.query(
      `INSERT INTO symphony.messenger_schedules
         (name, message_type, transport_name, body, schedule_type, schedule_config, next_run_at)
       VALUES ('nightly', 'Report', 'supabase', '{}', 'cron', '{"expression": "0 3 * * *"}', now() - interval '1 minute')`,
    )
    onTestFinished(() => truncate(database, ['messenger_schedules']))
    const view = (name: string) => database.query(`SELECT * FROM symphony.${name} ORDER BY 1, 2`)
    expect(await view('messenger_queue_depth')).toMatchObject([
      { transport_name: 'supabase', queue_name: 'default', pending: '2', delayed: '0', processing: '0' },
      { transport_name: 'supabase', queue_name: 'later', pending: '0', delayed: '1', oldest_available_at: null },
    ])
    expect(await view('messenger_failed_summary')).toMatchObject([
      { transport_name: 'supabase', message_type: 'Bad', error_class: 'TypeError', messages: '1' },
    ])
    expect(await view('messenger_schedules_summary')).toMatchObject([
      { name: 'nightly', message_type: 'Report', schedule_type: 'cron', timezone: 'UTC', enabled: true, due: true },
    ])
  })
})

describe('somebody who only has a login', () => {
  test('can neither read nor forge messages, not even with rights on the tables', async ({ skip }) => {
    const role = `symphony_test_${randomBytes(4).toString('hex')}`
    const created = await database.query(`CREATE ROLE ${role}`).then(
      () => true,
      () => false,
    )
    skip(!created, 'this user may not create roles')
    const client = new pg.Client(database.url)
    await client.connect()
    onTestFinished(async () => {
      await client.end()
      await database.query(`DROP OWNED BY ${role}`)
      await database.query(`DROP ROLE ${role}`)
    })
    await dispatch({ type: 'Secret', payload: { secret: 1 } })
    const relations = await database.query<{ name: string; kind: string }>(
      `SELECT 'symphony.' || relname AS name, relkind AS kind FROM pg_class
       WHERE relnamespace = 'symphony'::regnamespace AND relkind IN ('r', 'p', 'v')`,
    )
    expect(relations.length).toBeGreaterThan(8)
    await client.query(`SET ROLE ${role}`)
    for (const { name } of relations) {
      await expect(client.query(`SELECT FROM ${name}`)).rejects.toMatchObject({ code: '42501' })
    }
    // Row level security holds even where somebody grants too much.
    await database.query(`GRANT USAGE ON SCHEMA symphony TO ${role}`)
    await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA symphony TO ${role}`)
    for (const { name } of relations) {
      expect((await client.query(`SELECT FROM ${name}`)).rowCount).toBe(0)
    }
    await expect(
      client.query(
        `INSERT INTO symphony.messenger_messages (id, transport_name, message_type, body)
         VALUES (gen_random_uuid(), 'supabase', 'Forged', '{}')`,
      ),
    ).rejects.toMatchObject({ code: '42501', message: expect.stringMatching(/row-level security/) })
  })
})

test('every table, column group and view is explained', async () => {
  const silent = await database.query(
    `SELECT relname FROM pg_class WHERE relnamespace = 'symphony'::regnamespace AND relkind IN ('r', 'p', 'v')
     AND obj_description(oid) IS NULL`,
  )
  expect(silent).toEqual([])
})
