/** `symphony failed remove`: deletes dead letters. */
import type { Command } from 'commander'
import type { ListedFailedMessage } from '../../admin.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { mayGoOn } from '../consent.js'
import { EXIT } from '../exit.js'
import { several, shortened } from '../format.js'
import { type MatchingOptions, matching, matchingOf } from '../matching.js'
import { goOn, type OperatingOptions, operate } from '../operating.js'
import { idsFrom } from '../selection.js'
import { inSteps } from '../steps.js'

const VERBS = { plan: 'delete', done: 'deleted', noun: 'dead letter' }

/** Adds the command. */
export function addFailedRemove(failed: Command): void {
  matching(failed.command('remove'))
    .summary('delete dead letters')
    .description('Deletes dead letters, which nobody can bring back: some by their ids, or all that match. Asks first.')
    .argument('[id...]', 'their ids; - reads them from stdin, and wants --yes')
    .option('--dry-run', 'only say what would be deleted')
    .action(
      onQueue<[string[]], OperatingOptions & MatchingOptions>(async (session, { args: [words], options, out }) => {
        if (options.resume !== undefined) return goOn(session, options.resume, VERBS, options, out)
        const filter = matchingOf(words, options)
        if (filter !== undefined) return operate(session, { action: 'remove', filter }, VERBS, options, out)
        const { library, isProduction } = session
        const ids = await idsFrom(words)
        const found: ListedFailedMessage[] = []
        await inSteps(ids, async (some) => {
          found.push(...(await library.listFailed({ ids: some, limit: some.length })).messages)
        })
        const missing = ids.filter((id) => !found.some((message) => message.id === id))
        for (const id of missing) out.complain(`no dead letter has the id ${id}`)
        const what = several(found.length, 'dead letter')
        const samples = found.map(({ id, type, error }) => `${id}  ${type}  ${shortened(error, 60)}`)
        const plan = { what: `delete ${what}`, samples, word: String(found.length), isProduction }
        const said = because(options.reason)
        let removed = 0
        if (found.length > 0 && (await mayGoOn(plan, options, out))) {
          await inSteps(found, async (some) => {
            removed += await library.removeFailed({ ids: some.map(({ id }) => id) }, said)
          })
          out.done(`${several(removed, 'dead letter')} deleted`)
        }
        if (out.json !== undefined) out.data({ removed, missing, dryRun: options.dryRun === true })
        return missing.length > 0 ? EXIT.notFound : EXIT.done
      }),
    )
}
