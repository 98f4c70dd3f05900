import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll } from 'vitest'

/** A database of one test file. */
export interface TestDatabase {
  /** URL of the superuser to this database. */
  readonly url: string
  readonly name: string
  /** Runs a statement past the package, to look at what it left behind. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Drops the database and whoever is still connected; also happens by itself when the file is done. */
  drop(): Promise<void>
}

/**
 * Creates an empty database with a random name; call it at the top of a test file: `const database = await createDatabase()`.
 */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `symphony_test_${randomBytes(6).toString('hex')}`
  const url = new URL(serverUrl())
  url.pathname = `/${name}`
  await onServer(`CREATE DATABASE ${name}`)

  const pool = new pg.Pool({ connectionString: url.href, max: 2, allowExitOnIdle: true })
  // A test that ends the server must not end this process.
  pool.on('error', () => {})

  let dropped: Promise<void> | undefined
  const drop = () => {
    dropped ??= pool.end().then(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
    return dropped
  }
  afterAll(drop)
  return { url: url.href, name, query: async (sql, values) => (await pool.query(sql, values)).rows, drop }
}

/** URL of the server that all test files share; its user may create databases. */
export function serverUrl(): string {
  const url = process.env.SYMPHONY_TEST_DATABASE_URL
  if (!url) throw new Error('SYMPHONY_TEST_DATABASE_URL is not set: run the tests through vitest')
  return url
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(serverUrl())
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
