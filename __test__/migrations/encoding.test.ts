import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import {
  ConfigurationError,
  close,
  consumeBatch,
  dispatchBatch,
  HandlerRegistry,
  migrate,
  setConfig,
} from '@leadmap/symphony'
import pg from 'pg'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { numbers } from '../faults/support/scale.js'
import { serverUrl } from '../support/database.js'

afterEach(close)

/** A database whose encoding lacks most letters. */
async function createLatin1(): Promise<string> {
  const name = `symphony_test_${randomBytes(6).toString('hex')}`
  const server = new pg.Client(serverUrl())
  await server.connect()
  await server.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`)
  onTestFinished(async () => {
    await close()
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await server.end()
  })
  const url = new URL(serverUrl())
  url.pathname = `/${name}`
  return url.href
}

/** The files as psql would run them. */
async function migrateByHand(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  onTestFinished(() => client.end())
  const files = readdirSync('migrations').filter((name) => name.endsWith('.up.sql'))
  for (const file of files.sort()) {
    const sql = readFileSync(`migrations/${file}`, 'utf8').replace(/^\\.*$/gm, '')
    await client.query(sql.replaceAll(':"schema"', '"symphony"').replaceAll(":'schema'", "'symphony'"))
  }
  return client
}

test('migrate() refuses a database of another encoding than UTF8, with the remedy', async () => {
  const url = await createLatin1()
  setConfig({ database: { url } })
  const refusal = await migrate().catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect((refusal as Error).message).toContain('LATIN1')
  expect((refusal as Error).message).toContain("ENCODING 'UTF8'")
  const client = new pg.Client(url)
  await client.connect()
  expect((await client.query("SELECT to_regnamespace('symphony') AS schema")).rows).toEqual([{ schema: null }])
  await client.end()
})

test('in such a database a text that cannot be stored is stored escaped, and holds up no other', async () => {
  const url = await createLatin1()
  const client = await migrateByHand(url)
  setConfig({ database: { url }, retention: { completed: '1d' } })
  await dispatchBatch(numbers(200).map((n) => ({ type: 'Work', payload: { n } })))
  const registry = new HandlerRegistry()
  registry.register('Work', ({ payload }) => {
    if (payload.n === 7) throw new Error('größer als 5 €')
  })
  const result = await consumeBatch({ registry, messageLimit: 200 })
  expect(result).toMatchObject({ claimed: 200, succeeded: 199, retried: 1 })
  const { rows } = await client.query('SELECT last_error FROM symphony.messenger_messages_pending')
  expect(rows).toEqual([{ last_error: 'gr\\u{f6}\\u{df}er als 5 \\u{20ac}' }])
  const held = await client.query('SELECT FROM symphony.messenger_messages_processing')
  expect(held.rows).toEqual([])
})
