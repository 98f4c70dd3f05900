/** `symphony errors …`: which errors there are, and what is thought of them. */
import { type Command, Option } from 'commander'
import type { ErrorGroup, ErrorGroupState } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { EXIT, Exit } from '../exit.js'
import { count, distance, shortened } from '../format.js'
import { print } from '../listing.js'
import { whole } from '../values.js'

const STATES = ['open', 'resolved', 'ignored'] as const

/** What each state is called where somebody sets it, and what that means. */
const JUDGEMENTS: ReadonlyArray<[name: string, state: ErrorGroupState, summary: string]> = [
  ['resolve', 'resolved', 'errors of a class are mended, until they are seen again'],
  ['ignore', 'ignored', 'nobody needs to care about errors of a class'],
  ['open', 'open', 'errors of a class are to be mended'],
]

/** Adds the commands. */
export function addErrors(program: Command): void {
  const errors = program
    .command('errors')
    .summary('errors by type and class: list, resolve, ignore, open')
    .helpCommand(false)
    .description('Failed runs by message type and class of their error.')
  errors
    .command('list', { isDefault: true })
    .summary('which errors there are, the latest first')
    .description('Failed runs of the last 90 days by message type and class of their error, the latest first.')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--type <type>', 'only of this message type')
    .addOption(new Option('-n, --limit <number>', 'how many').argParser(whole(1)).default(50))
    .action(
      onQueue<[], { state?: ErrorGroupState; type?: string; limit: number }>(async ({ library }, { options, out }) => {
        const { state, type, limit } = options
        const all = await library.listErrorGroups({ limit: Math.min(limit, 1_000), ...given({ state, type }) })
        print(all, { columns: COLUMNS, row, empty: 'nothing has failed' }, out)
      }),
    )
  for (const [name, state, summary] of JUDGEMENTS) {
    errors
      .command(name)
      .summary(`say that ${summary}`)
      .description(`Says that ${summary}.`)
      .argument('<type>', 'the message type')
      .argument('<class>', 'the class of the error, such as TypeError')
      .option('--note <text>', 'what is kept with it')
      .option('--reason <text>', 'why, for the audit')
      .action(
        onQueue<[string, string], { note?: string; reason?: string }>(async ({ library }, call) => {
          const { args, options, out } = call
          const [type, errorClass] = args
          const isKnown = await library.setErrorGroup(type, errorClass, state, options.note, because(options.reason))
          if (!isKnown) throw new Exit(EXIT.notFound, `no run of ${type} has failed with ${errorClass}`)
          if (out.json !== undefined) out.data({ type, class: errorClass, state, note: options.note ?? null })
          out.done(`${errorClass} of ${type} is ${state}`)
        }),
      )
  }
}

const COLUMNS = [
  { title: 'TYPE' },
  { title: 'CLASS' },
  { title: 'RUNS', right: true },
  { title: 'FIRST' },
  { title: 'LAST' },
  { title: 'STATE' },
  { title: 'NOTE' },
]

function row({ type, class: name, occurrences, firstAt, lastAt, state, note }: ErrorGroup): string[] {
  const [first, last] = [firstAt, lastAt].map((at) => distance(at, Date.now()))
  return [type, name, count(occurrences), first ?? '', last ?? '', state, shortened(note ?? '–', 60)]
}
