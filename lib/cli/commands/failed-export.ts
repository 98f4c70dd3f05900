/** `symphony failed export`: dead letters as lines of JSON. */
import type { Command } from 'commander'
import type { FailedMessage } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { several } from '../format.js'
import { allOf } from '../pages.js'
import { type FilterOptions, filtering, filterOf } from './failed-filter.js'

/** Adds the command. */
export function addFailedExport(failed: Command): void {
  filtering(failed.command('export'))
    .summary('dead letters as lines of JSON')
    .description('All dead letters that match, newest first, one JSON object per line on stdout.')
    .argument('[query]', "such as 'type:Mail error:ETIMEDOUT created:>-6h'")
    .action(
      onQueue<[string?], FilterOptions>(async ({ library }, { args: [query], options, out }) => {
        let written = 0
        for await (const message of allOf((page) =>
          library.listFailed({ ...filterOf(options), ...given({ query }), ...page, full: true }),
        )) {
          out.print(exactLine(message))
          written += 1
        }
        out.done(`${several(written, 'dead letter')} written`)
      }),
    )
}

/** A dead letter as one line of JSON, its payload with every digit. */
function exactLine({ payload: _, payloadText, ...letter }: FailedMessage): string {
  return `${JSON.stringify(letter).slice(0, -1)},"payload":${payloadText}}`
}
