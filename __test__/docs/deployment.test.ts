import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, setConfig } from '@leadmap/symphony'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { readDocument } from './documents.js'

const database = await createQueue()
beforeEach(() => emptyTables(database, 'messenger_workers'))

const registry = new HandlerRegistry()
registry.register('Any', () => undefined)

/** The block of SQL in docs/deployment.md that contains a word. */
function recipe(word: string): string {
  const blocks = [...readDocument('docs/deployment.md').matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql)
  return blocks.find((sql) => sql.includes(word)) ?? ''
}

test('the recipe for a role of its own may run again after each upgrade', async () => {
  const role = `app_${database.name}`
  const sql = recipe('CREATE POLICY').replaceAll(/\bapp\b/g, role)
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  onTestFinished(async () => {
    setConfig({ database: { url: database.url } })
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
  for (const _ of ['at first', 'after an upgrade']) await database.query(sql)
  const url = new URL(database.directUrl)
  url.username = role
  url.password = 'secret'
  setConfig({ database: { url: url.href } })
  await dispatch({ type: 'Any', payload: {} }, { idempotencyKey: 'one' })
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
})

test('the recipe for pg_cron calls when something is due, and reads few pages to know', async () => {
  const [, condition = ''] = recipe('cron.schedule').match(/\n {2}WHERE ([\s\S]*?)\n\$\$\);/) ?? []
  const calls = async () => (await database.query(`SELECT WHERE ${condition}`)).length === 1
  expect(await calls()).toBe(false)
  const later = { delay: '1h' }
  await dispatch({ type: 'Any', payload: {} }, later)
  await database.query(
    `INSERT INTO symphony.messenger_messages (id, transport_name, queue_name, priority, message_type, body, available_at)
     SELECT gen_random_uuid(), 'supabase', 'queue ' || n % 3, 1 + n % 10, 'Any', '{}', now() + interval '1 hour'
     FROM generate_series(1, 20000) AS n`,
  )
  await database.query('ANALYZE symphony.messenger_messages_pending')
  expect(await calls()).toBe(false)
  const [plan] = await database.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT WHERE ${condition}`,
  )
  const { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = plan?.['QUERY PLAN'][0].Plan ?? {}
  // A few for each of 31 lanes; the table alone has more than 300.
  expect(hit + read).toBeGreaterThan(0)
  expect(hit + read).toBeLessThan(300)
  await dispatchBatch([{ type: 'Any', payload: {} }])
  expect(await calls()).toBe(true)
  await emptyTables(database)
  await database.query(
    `INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
     VALUES (gen_random_uuid(), 'elsewhere', 1, '{supabase}', now() - interval '1 second')`,
  )
  expect(await calls()).toBe(true)
})
