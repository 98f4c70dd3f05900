/** `symphony cleanup`: deletes what is past its retention. */
import type { Command } from 'commander'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { count } from '../format.js'
import { facts } from '../table.js'
import { whole } from '../values.js'

/** Adds the command. */
export function addCleanup(program: Command): void {
  program
    .command('cleanup')
    .summary('delete what is past its retention')
    .description('Deletes what is past its retention, as the scheduler route and long-lived workers do by themselves.')
    .option('--limit <number>', 'the most rows of each kind', whole(1))
    .action(
      onQueue<[], { limit?: number }>(async ({ library }, { options: { limit }, out }) => {
        const deleted = await library.cleanup(given({ limit }))
        if (out.json !== undefined) out.data(deleted)
        else
          out.print(
            facts(
              Object.entries(deleted).map(([kind, rows]) => [kind, count(rows)]),
              out.paint,
            ),
          )
      }),
    )
}
