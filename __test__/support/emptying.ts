import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from './database.js'

/**
 * How the connections of `startProgram()` are called. Where a pooler's own are idle they have another name, with the
 * address of a client behind it (`application_name_add_host`): they outlive the programs that used them.
 */
export const PROGRAM = 'symphony program'

/** How long what a test started may take to be gone, in milliseconds: only a hanging one is stopped by it. */
const PATIENCE = 20_000

/**
 * Empties tables of the schema `symphony` once what earlier tests started is gone: a statement that outlives the process
 * or the consumer that sent it deadlocks with a TRUNCATE, or writes into the next test.
 */
export async function truncate({ query }: Pick<TestDatabase, 'query'>, tables: readonly string[]): Promise<void> {
  await isQuiet({ query })
  await query(`TRUNCATE ${tables.map((table) => `symphony.${table}`).join(', ')}`)
}

/** Waits until no statement is under way in this database and no program is connected to it. */
async function isQuiet({ query }: Pick<TestDatabase, 'query'>): Promise<void> {
  const start = performance.now()
  for (;;) {
    const busy = await query<{ application_name: string; state: string; query: string }>(
      `SELECT application_name, state, query FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
         AND (state <> 'idle' OR application_name = $1)`,
      [PROGRAM],
    )
    if (busy.length === 0) return
    if (performance.now() - start > PATIENCE) throw new Error(`still at work: ${JSON.stringify(busy)}`)
    await sleep(10)
  }
}
