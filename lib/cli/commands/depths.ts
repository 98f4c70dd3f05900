/** `symphony depths`: how full the queues were. */
import { type Command, Option } from 'commander'
import type { DepthPoint } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { count, span } from '../format.js'
import { print } from '../listing.js'
import { past } from '../values.js'

interface Options {
  since: number
  until?: number
  transport?: string
  queue?: string
}

/** Adds the command. */
export function addDepths(program: Command): void {
  program
    .command('depths')
    .summary('how full the queues were, over time')
    .description(
      'How full all queues together were, or one of them; a minute without a row is one in which nobody consumed.',
    )
    .addOption(
      new Option('--since <when>', 'from then on: 24h, a day, an instant').argParser(past).default(past('1h'), '1h'),
    )
    .option('--until <when>', 'up to then; now by default', past)
    .option('--transport <name>', 'of this transport; its queue is default unless --queue names another')
    .option('--queue <name>', 'of this queue of it')
    .action(
      onQueue<[], Options>(async ({ library }, { options, out }) => {
        const { since, until, transport, queue } = options
        if (queue !== undefined && transport === undefined) throw new Exit(EXIT.usage, '--queue wants --transport')
        const asked = { startTime: since, ...given({ endTime: until, transport, queue }) }
        print(await library.getDepths(asked), { columns: COLUMNS, row, empty: 'nobody has consumed then' }, out)
      }),
    )
}

const COLUMNS = [
  { title: 'MINUTE' },
  { title: 'DUE', right: true },
  { title: 'DELAYED', right: true },
  { title: 'RUNNING', right: true },
  { title: 'OLDEST', right: true },
]

function row({ minute, pending, delayed, processing, oldestAge, capped }: DepthPoint): string[] {
  const numbers = [pending, delayed, processing].map((value) => count(value, capped))
  return [minute.toISOString().replace(':00.000', ''), ...numbers, oldestAge === null ? '–' : span(oldestAge)]
}
