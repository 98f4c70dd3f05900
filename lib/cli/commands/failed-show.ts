/** `symphony failed show`: one dead letter. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { showFailed } from './show.js'

/** Adds the command. */
export function addFailedShow(failed: Command): void {
  failed
    .command('show')
    .summary('one dead letter, with its payload and its errors')
    .description('One dead letter, with its payload, and every run that failed with where it was thrown.')
    .argument('<id>')
    .action(
      onQueue<[string]>(async ({ library }, { args: [id], out }) => {
        const found = await library.getFailed(id)
        if (found === null) throw new Exit(EXIT.notFound, `no dead letter has the id ${id}`)
        showFailed(found, out)
      }),
    )
}
