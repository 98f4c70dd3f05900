/** The application's own connections. Symphony has a pool of its own. */
import pg from 'pg'

const slot = globalThis as { leadmapPool?: pg.Pool }

/** One pool per process, also after a hot reload; opened at the first query, so that a build needs no database. */
function pool(): pg.Pool {
  slot.leadmapPool ??= new pg.Pool({
    connectionString: process.env.SYMPHONY_DATABASE_URL || process.env.DATABASE_URL,
    max: 5,
  })
  return slot.leadmapPool
}

/** The rows of a statement. */
export async function query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await pool().query<Row & pg.QueryResultRow>(sql, values)).rows
}

/** Runs statements in one transaction: all or none. */
export async function transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool().connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}
