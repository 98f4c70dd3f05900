import { startTestPostgres } from '../../scripts/servers/postgres.mjs'
import { withoutConfiguration } from '../../scripts/setup/environment.mjs'

/** Read by `pgbouncer.ts`, and by the test of the benchmark. */
const KEPT = ['SYMPHONY_TEST_POOLED', 'SYMPHONY_TEST_POOLED_URL', 'SYMPHONY_TEST_FLOOR']

/**
 * Gives every test file one server through SYMPHONY_TEST_DATABASE_URL: what `npm test` started, else the server in
 * SYMPHONY_DATABASE_URL, else an embedded one. Removes what configures Symphony on this machine.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const { SYMPHONY_TEST_DATABASE_URL, SYMPHONY_DATABASE_URL } = process.env
  for (const name of Object.keys(withoutConfiguration(KEPT))) delete process.env[name]
  const given = SYMPHONY_TEST_DATABASE_URL ?? SYMPHONY_DATABASE_URL
  if (given) {
    process.env.SYMPHONY_TEST_DATABASE_URL = given
    return undefined
  }
  const postgres = await startTestPostgres()
  process.env.SYMPHONY_TEST_DATABASE_URL = postgres.url
  return postgres.stop
}
