import { close, migrate, type SymphonyConfig, setConfig } from '@leadmap/symphony'
import pg from 'pg'
import { afterAll } from 'vitest'
import { type Postgres, startTestPostgres } from '../../../scripts/servers/postgres.mjs'
import type { TestDatabase } from '../../support/database.js'
import { until } from './until.js'

/** A server that belongs to one test file, so that it may be killed. */
export interface OwnServer extends Pick<TestDatabase, 'url' | 'query'> {
  readonly postgres: Postgres
  /** Waits until it answers. */
  isBack(): Promise<void>
}

/** Starts a server, with settings of its own, and closes it when the file is done. */
export async function startOwnServer(settings: Record<string, string> = {}): Promise<OwnServer> {
  const postgres = await startTestPostgres(settings)
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2, allowExitOnIdle: true })
  pool.on('error', () => {})
  afterAll(async () => {
    await pool.end()
    await postgres.stop()
  })
  const query: OwnServer['query'] = async (sql, values) => (await pool.query(sql, values)).rows
  const answers = () =>
    query('SELECT 1').then(
      () => true,
      () => false,
    )
  return { postgres, url: postgres.url, query, isBack: () => until('the server is back', answers) }
}

/** A server of its own with the package's tables in it, and this process configured for it. */
export async function createOwnQueue(
  config: SymphonyConfig = {},
  settings: Record<string, string> = {},
): Promise<OwnServer> {
  const server = await startOwnServer(settings)
  setConfig({ ...config, database: { url: server.url, ...config.database } })
  await migrate()
  afterAll(close)
  return server
}
