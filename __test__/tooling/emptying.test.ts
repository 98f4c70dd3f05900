import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { PROGRAM } from '../support/emptying.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()

async function connect(name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.directUrl, application_name: name })
  await client.connect()
  return client
}

test('tables are emptied only when no statement is under way any more', async () => {
  const client = await connect('an aborted consumer')
  onTestFinished(() => client.end())
  // As a claim that its process no longer waits for: it has one table, and wants the other a moment later.
  const left = client.query(`DO $$ BEGIN
    LOCK TABLE symphony.messenger_executions IN ROW EXCLUSIVE MODE;
    PERFORM pg_sleep(1);
    INSERT INTO symphony.messenger_messages (id, transport_name, message_type, body)
    VALUES (gen_random_uuid(), 'supabase', 'Late', '{}');
  END $$`)
  await expect
    .poll(() => database.query("SELECT FROM pg_locks WHERE relation = 'symphony.messenger_executions'::regclass"))
    .not.toEqual([])
  const [late] = await Promise.allSettled([left, emptyTables(database)])
  expect(late).toMatchObject({ status: 'fulfilled' })
  expect(await storedMessages(database)).toEqual([])
})

test('and only when no program is connected any more: it may still have sent something', async () => {
  const client = await connect(PROGRAM)
  const steps: string[] = []
  const emptied = emptyTables(database).then(() => steps.push('emptied'))
  for (const step of ['one', 'two', 'three']) await client.query('SELECT 1').then(() => steps.push(step))
  await client.end()
  await emptied
  expect(steps).toEqual(['one', 'two', 'three', 'emptied'])
})
