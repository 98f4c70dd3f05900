/** `symphony rollback`: reverts migrations. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { type ConsentOptions, mayGoOn } from '../consent.js'
import { several } from '../format.js'
import { report } from '../migrations.js'
import { whole } from '../values.js'

/** Adds the command. */
export function addRollback(program: Command): void {
  program
    .command('rollback')
    .summary('revert migrations')
    .description('Reverts migrations, newest first. Messages in tables that go are lost. Asks first.')
    .requiredOption('--to <version>', 'the version to end at; 0 removes everything', whole())
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would be reverted')
    .action(
      onQueue<[], ConsentOptions & { to: number }>(async ({ library, isProduction }, { options, out }) => {
        const { to } = options
        const { version } = await library.migrationStatus()
        const what = `revert ${several(Math.max(0, version - to), 'migration')}, to version ${to}`
        if (version > to && !(await mayGoOn({ what, word: String(to), isProduction }, options, out))) return
        const done = version > to ? await library.rollback({ to }) : { reverted: [], version }
        report('reverted', done.reverted, done.version, out)
      }),
    )
}
