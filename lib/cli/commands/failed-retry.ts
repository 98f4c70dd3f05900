/** `symphony failed retry`: puts dead letters back. */
import type { Command } from 'commander'
import type { RetriedMessage } from '../../admin.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { EXIT } from '../exit.js'
import { several } from '../format.js'
import { type MatchingOptions, matching, matchingOf } from '../matching.js'
import { goOn, type OperatingOptions, operate } from '../operating.js'
import { idsFrom } from '../selection.js'
import { inSteps } from '../steps.js'

type RetryOptions = OperatingOptions & MatchingOptions

const VERBS = { plan: 'put back', done: 'put back', noun: 'dead letter' }

/** Adds the command. */
export function addFailedRetry(failed: Command): void {
  matching(failed.command('retry'))
    .summary('put dead letters back into their transports')
    .description(
      'Puts dead letters back into their transports, each by itself: some by their ids, or all that match a query. ' +
        'Exits with 4 if one of the ids does not exist.',
    )
    .argument('[id...]', 'their ids; - reads them from stdin')
    .option('--dry-run', 'only say what would be put back')
    .addHelpText(
      'after',
      "\nsymphony failed retry --query 'type:Mail error:ETIMEDOUT created:>-6h' --rate 100" +
        '\nsymphony failed list --type Mail --limit 1000 --ids | symphony failed retry -',
    )
    .action(
      onQueue<[string[]], RetryOptions>(async (session, { args: [words], options, out }) => {
        if (options.resume !== undefined) return goOn(session, options.resume, VERBS, options, out)
        const filter = matchingOf(words, options)
        if (filter !== undefined) return operate(session, { action: 'retry', filter }, VERBS, options, out)
        const { library } = session
        const ids = await idsFrom(words)
        const retried: RetriedMessage[] = []
        const missing: string[] = []
        const said = because(options.reason)
        const reached = await inSteps(ids, async (some) => {
          const found = options.dryRun ? await existing(some) : await library.retryFailed({ ids: some }, said)
          retried.push(...found)
          missing.push(...some.filter((id) => !found.some(({ failedMessageId }) => failedMessageId === id)))
        })
        if (out.json !== undefined) out.data({ retried, missing, dryRun: options.dryRun === true })
        for (const id of missing) out.complain(`no dead letter has the id ${id}`)
        if (reached < ids.length) out.say(`stopped: ${ids.length - reached} were not looked at`)
        const what = several(retried.length, 'dead letter')
        if (options.dryRun) out.say(`would put back ${what}; nothing was done`)
        else out.done(`${what} put back`)
        return missing.length > 0 ? EXIT.notFound : EXIT.done

        async function existing(some: string[]): Promise<RetriedMessage[]> {
          const { messages } = await library.listFailed({ ids: some, limit: some.length })
          return messages.map(({ id, messageId, transport }) => ({ failedMessageId: id, messageId, transport }))
        }
      }),
    )
}
