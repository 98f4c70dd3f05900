/** `symphony migrate status`: which version the tables have, and which one is needed. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { titled } from '../migrations.js'

/** Adds the command. */
export function addMigrateStatus(migrate: Command): void {
  migrate
    .command('status')
    .summary('the version of the tables, and what is pending')
    .description('The version of the tables, the version that this package needs, and the migrations between them.')
    .action(
      onQueue(async ({ library }, { out }) => {
        const status = await library.migrationStatus()
        if (out.json !== undefined) return out.data(status)
        const { version, latest, pending } = status
        for (const migration of pending) out.print(`${out.paint.yellow('…')} ${titled(migration)} is pending`)
        out.print(`tables at version ${version} of ${latest}`)
      }),
    )
}
