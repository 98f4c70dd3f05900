/** `symphony cancel`: messages that shall not run. */
import type { Command } from 'commander'
import type { Cancellation } from '../../admin.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { EXIT } from '../exit.js'
import { several } from '../format.js'
import { idsFrom } from '../selection.js'
import { inSteps } from '../steps.js'

/** Adds the command. */
export function addCancel(program: Command): void {
  program
    .command('cancel')
    .summary('cancel messages before they run')
    .description('Cancels messages that wait. One that runs or is finished stays as it is, and the exit code is 1.')
    .argument('<id...>', 'their ids; - reads them from stdin')
    .option('--reason <text>', 'why, for the audit')
    .option('--dry-run', 'only say what would be cancelled')
    .action(
      onQueue<[string[]], { dryRun?: boolean; reason?: string }>(
        async ({ library }, { args: [words], options, out }) => {
          const answers: Array<Cancellation & { id: string }> = []
          await inSteps(await idsFrom(words), async (some) => {
            for (const id of some)
              answers.push({
                id,
                ...(await (options.dryRun ? look(id) : library.cancelMessage(id, because(options.reason)))),
              })
          })
          if (out.json !== undefined) out.data(answers)
          const failed = answers.filter(({ cancelled }) => !cancelled)
          for (const { id, status } of failed) {
            out.complain(status === null ? `no message has the id ${id}` : `${id} is ${status}, and stays`)
          }
          const what = several(answers.length - failed.length, 'message')
          if (options.dryRun) out.say(`would cancel ${what}; nothing was done`)
          else out.done(`${what} cancelled`)
          if (failed.some(({ status }) => status === null)) return EXIT.notFound
          return failed.length > 0 ? EXIT.failed : EXIT.done

          async function look(id: string): Promise<Cancellation> {
            const status = (await library.getMessage(id))?.status ?? null
            return { cancelled: status === 'pending', status }
          }
        },
      ),
    )
}
