import { close, migrate, type SymphonyConfig, setConfig } from '@leadmap/symphony'
import { afterAll } from 'vitest'
import { createDatabase, type TestDatabase } from './database.js'
import { truncate } from './emptying.js'

/**
 * A database with the package's tables in it and this process configured for it; call it at the top of a test file.
 *
 * @param config laid over the database's URL.
 */
export async function createQueue(config: SymphonyConfig = {}): Promise<TestDatabase> {
  const database = await createDatabase()
  setConfig({ ...config, database: { url: database.url, ...config.database } })
  await migrate()
  afterAll(close)
  return database
}

const TABLES = [
  'messenger_messages',
  'messenger_failed_messages',
  'messenger_deduplication',
  'messenger_transports',
  'messenger_executions',
]

/** Empties the tables of messages, and `others`, once what earlier tests started is gone; for a `beforeEach`. */
export async function emptyTables(database: Pick<TestDatabase, 'query'>, ...others: string[]): Promise<void> {
  await truncate(database, [...TABLES, ...others])
}

/** A message as the table has it. */
export interface StoredRow {
  id: string
  message_type: string
  transport_name: string
  queue_name: string
  priority: number
  status: string
  body: Record<string, unknown>
  headers: Record<string, string>
  metadata: Record<string, unknown>
  available_at: Date
  scheduled_at: Date | null
  retry_count: number
  max_retries: number | null
  idempotency_key: string | null
  last_error: string | null
}

/** Every message except dead letters, in the order of dispatch; ids sort by time. */
export async function storedMessages(database: TestDatabase): Promise<StoredRow[]> {
  return database.query<StoredRow & Record<string, unknown>>('SELECT * FROM symphony.messenger_messages ORDER BY id')
}

/** How many messages and dead letters there are, finished ones included. */
export async function countAll(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `SELECT (SELECT count(*) FROM symphony.messenger_messages)::int
          + (SELECT count(*) FROM symphony.messenger_failed_messages)::int AS n`,
  )
  return row?.n ?? 0
}
