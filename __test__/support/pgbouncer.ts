import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { isPooled, serverUrl } from './database.js'

/**
 * Where SYMPHONY_TEST_POOLED is 1, all tests run through PgBouncer: the one in SYMPHONY_TEST_POOLED_URL, else one of
 * their own.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (!isPooled() || process.env.SYMPHONY_TEST_POOLED_URL) return undefined
  const pooler = await startPgbouncer(serverUrl())
  if ('missing' in pooler) throw new Error(pooler.missing)
  process.env.SYMPHONY_TEST_POOLED_URL = pooler.url
  return pooler.stop
}
