/** `symphony migrate`: brings the tables up to date; `status` and `sql` say how they are, and how it would be done. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { report } from '../migrations.js'
import { addMigrateSql } from './migrate-sql.js'
import { addMigrateStatus } from './migrate-status.js'

/** Adds the commands. */
export function addMigrate(program: Command): void {
  const migrate = program
    .command('migrate')
    .summary('bring the tables up to date; status, sql')
    .helpCommand(false)
    .description('Brings the tables to the version that this package needs. Several may do so at once.')
    .option('--dry-run', 'only say what would be done')
    .action(
      onQueue<[], { dryRun?: boolean }>(async ({ library }, { options, out }) => {
        if (options.dryRun) {
          const { version, pending } = await library.migrationStatus()
          return report('would be applied', pending, version, out)
        }
        const { version, applied } = await library.migrate()
        report('applied', applied, version, out)
      }),
    )
  for (const add of [addMigrateStatus, addMigrateSql]) add(migrate)
}
