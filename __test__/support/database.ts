import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll } from 'vitest'

/** A database of one test file. */
export interface TestDatabase {
  /** URL of the superuser to this database; through PgBouncer where `SYMPHONY_TEST_POOLED` is 1. */
  readonly url: string
  /** The same past any pooler. */
  readonly directUrl: string
  readonly name: string
  /** Runs a statement past the package, to look at what it left behind. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Drops the database and all that is still connected; also happens by itself when the file is done. */
  drop(): Promise<void>
}

/**
 * Creates an empty database with a random name; call it at the top of a test file: `const database = await createDatabase()`.
 */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `symphony_test_${randomBytes(6).toString('hex')}`
  const directUrl = urlTo(name, serverUrl())
  await onServer(`CREATE DATABASE ${name}`)

  const pool = new pg.Pool({ connectionString: directUrl, max: 2, allowExitOnIdle: true })
  // A test that ends the server must not end this process.
  pool.on('error', () => {})

  let dropped: Promise<void> | undefined
  const drop = () => {
    dropped ??= pool.end().then(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
    return dropped
  }
  afterAll(drop)
  const url = isPooled() ? urlTo(name, poolerUrl()) : directUrl
  return { url, directUrl, name, query: async (sql, values) => (await pool.query(sql, values)).rows, drop }
}

/** Whether the tests run through PgBouncer. */
export function isPooled(): boolean {
  return process.env.SYMPHONY_TEST_POOLED === '1'
}

/** URL of the PgBouncer in front of the server that all test files share. */
export function poolerUrl(): string {
  const url = process.env.SYMPHONY_TEST_POOLED_URL
  if (!url) throw new Error('SYMPHONY_TEST_POOLED_URL is not set: no PgBouncer to test through')
  return url
}

/** URL of the server that all test files share; its user may create databases. */
export function serverUrl(): string {
  const url = process.env.SYMPHONY_TEST_DATABASE_URL
  if (!url) throw new Error('SYMPHONY_TEST_DATABASE_URL is not set: run the tests through vitest')
  return url
}

function urlTo(name: string, server: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
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
