/** `symphony failed list`: dead letters, newest first. */
import { type Command, Option } from 'commander'
import type { ListedFailedMessage } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { count, distance, several, shortened } from '../format.js'
import type { Output } from '../output.js'
import { firstOf } from '../pages.js'
import { table } from '../table.js'
import { whole } from '../values.js'
import { type FilterOptions, filtering, filterOf } from './failed-filter.js'

interface ListOptions extends FilterOptions {
  limit: number
  cursor?: string
  ids?: boolean
}

/** Adds the command. */
export function addFailedList(failed: Command): void {
  filtering(failed.command('list', { isDefault: true }))
    .summary('dead letters, newest first')
    .description('Dead letters, newest first, and how many match: all, or those that match a query of docs/search.md.')
    .argument('[query]', "such as 'type:Mail error:ETIMEDOUT created:>-6h'")
    .addOption(new Option('-n, --limit <number>', 'how many').argParser(whole(1)).default(20))
    .option('--cursor <cursor>', 'from where the previous list ended')
    .option('--ids', 'ids alone, for another command')
    .addHelpText(
      'after',
      '\nTo put back what you see: symphony failed list --type Mail --ids | symphony failed retry -',
    )
    .action(
      onQueue<[string?], ListOptions>(async ({ library }, { args: [query], options, out }) => {
        const filter = { ...filterOf(options), ...given({ query }) }
        const read = (page: object) => library.listFailed({ ...filter, ...page })
        const { messages, nextCursor } = await firstOf(options.limit, options.cursor, read)
        if (options.ids) for (const { id } of messages) out.print(id)
        else if (out.json === 'lines') for (const message of messages) out.data(message)
        else {
          const { total, capped } = await library.countFailed(filter)
          if (out.json === 'document') return out.data({ messages, nextCursor, total, capped })
          if (messages.length > 0)
            out.print(
              table(
                COLUMNS,
                messages.map((message) => row(message, out)),
                out.paint,
              ),
            )
          out.say(out.shade.dim(total === 0 ? 'no dead letter matches' : found(total, capped)))
        }
        if (nextCursor !== null) out.say(`more follow: --cursor ${nextCursor}`)
      }),
    )
}

function found(total: number, capped: boolean): string {
  return capped
    ? `${count(total, true)} dead letters match`
    : `${several(total, 'dead letter')} match${total === 1 ? 'es' : ''}`
}

const COLUMNS = [
  { title: 'ID' },
  { title: 'TYPE' },
  { title: 'TRANSPORT/QUEUE' },
  { title: 'FAILED' },
  { title: 'RETRIES', right: true },
  { title: 'ERROR' },
]

function row(
  { id, type, transport, queue, failedAt, retryCount, errorClass, error }: ListedFailedMessage,
  out: Output,
): string[] {
  const problem = `${out.paint.red(errorClass)} ${shortened(error, 60)}`
  return [id, type, `${transport}/${queue}`, distance(failedAt, Date.now()), String(retryCount), problem]
}
