/** `symphony snooze`, `run-now` and `move`: messages that wait go on later, now, or elsewhere. */
import type { Command } from 'commander'
import type { StartOptions } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { span } from '../format.js'
import { type MatchingOptions, matching, matchingOf } from '../matching.js'
import { goOn, type OperatingOptions, operate, type Verbs } from '../operating.js'
import { idsFrom } from '../selection.js'
import { due, whole } from '../values.js'

type Options = OperatingOptions & MatchingOptions

interface Place {
  transport?: string
  queue?: string
  priority?: number
}

const EXAMPLE = 'type:Newsletter created:>-1h'

/** Adds the commands. */
export function addReschedule(program: Command): void {
  onMany(program, 'snooze', 'let messages wait for longer')
    .description(
      'Makes messages that wait due after --delay: some by their ids, or all that match. Asks first if many match.',
    )
    .option('--delay <duration>', 'due after so long from now; 0: now', due)
    .action(
      acting<{ delay?: number }>(({ delay }) => {
        if (delay === undefined) throw new Exit(EXIT.usage, 'say for how long: --delay 30m')
        const until = delay === 0 ? 'at once' : `in ${span(delay)}`
        return [{ action: 'snooze', delay }, verbs(`make due ${until}`, `due ${until}`)]
      }),
    )
  onMany(program, 'run-now', 'make messages due at once')
    .description('Makes messages that wait for their time due at once: some by their ids, or all that match.')
    .action(acting(() => [{ action: 'snooze', delay: 0 }, verbs('make due at once', 'due at once')]))
  onMany(program, 'move', 'put messages into another queue, priority or transport')
    .description(
      'Puts messages that wait into another queue, priority or transport, at their place by age: some by their ids, or ' +
        'all that match. Asks first if many match.',
    )
    .option('--queue <name>', 'to this queue')
    .option('--priority <1-10>', 'to this priority', whole(1))
    .option('--transport <name>', 'to this transport, of the same database')
    .action(
      acting<Place>(({ transport, queue, priority }) => {
        const place = given({ transport, queue, priority })
        const named = Object.entries(place).map(([what, name]) => `${what} ${name}`)
        if (named.length === 0) throw new Exit(EXIT.usage, 'say where to: --queue, --priority or --transport')
        return [{ action: 'move', ...place }, verbs('move', `moved to ${named.join(', ')}`)]
      }),
    )
}

function onMany(program: Command, name: string, summary: string): Command {
  return matching(program.command(name), EXAMPLE)
    .summary(summary)
    .argument('[id...]', 'their ids; - reads them from stdin')
    .option('--dry-run', 'only say what would be done')
}

function verbs(plan: string, done: string): Verbs {
  return { plan, done, noun: 'message' }
}

type Action = Pick<StartOptions, 'action'>

/** Runs it by ids or by what matches, or goes on with it. */
function acting<Own>(understand: (options: Own) => [Action, Verbs]): (...given: unknown[]) => Promise<void> {
  return onQueue<[string[]], Options & Own>(async (session, { args: [words], options, out }) => {
    if (options.resume !== undefined) return goOn(session, options.resume, verbs('', 'done'), options, out)
    const filter = matchingOf(words, options)
    const [action, named] = understand(options)
    const which = filter === undefined ? { ids: await idsFrom(words) } : { filter }
    return operate(session, { ...action, ...which } as StartOptions, named, options, out)
  })
}
