/** `symphony cancel`: messages that shall not run. */
import type { Command } from 'commander'
import type { Cancellation } from '../../admin.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { EXIT } from '../exit.js'
import { several } from '../format.js'
import { type MatchingOptions, matching, matchingOf } from '../matching.js'
import { goOn, type OperatingOptions, operate } from '../operating.js'
import { idsFrom } from '../selection.js'
import { inSteps } from '../steps.js'

const VERBS = { plan: 'cancel', done: 'cancelled', noun: 'message' }

/** Adds the command. */
export function addCancel(program: Command): void {
  matching(program.command('cancel'), 'type:Newsletter -queue:urgent')
    .summary('cancel messages before they run')
    .description(
      'Cancels messages that wait: some by their ids, or all that match, after a question. One that runs or is finished ' +
        'stays as it is; if it was named, the exit code is 1.',
    )
    .argument('[id...]', 'their ids; - reads them from stdin')
    .option('--dry-run', 'only say what would be cancelled')
    .action(
      onQueue<[string[]], OperatingOptions & MatchingOptions>(async (session, { args: [words], options, out }) => {
        if (options.resume !== undefined) return goOn(session, options.resume, VERBS, options, out)
        const filter = matchingOf(words, options)
        if (filter !== undefined) return operate(session, { action: 'cancel', filter }, VERBS, options, out)
        const { library } = session
        const answers: Array<Cancellation & { id: string }> = []
        await inSteps(await idsFrom(words), async (some) => {
          for (const id of some) answers.push({ id, ...(await (options.dryRun ? look(id) : cancel(id))) })
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

        function cancel(id: string): Promise<Cancellation> {
          return library.cancelMessage(id, because(options.reason))
        }

        async function look(id: string): Promise<Cancellation> {
          const status = (await library.getMessage(id))?.status ?? null
          return { cancelled: status === 'pending', status }
        }
      }),
    )
}
