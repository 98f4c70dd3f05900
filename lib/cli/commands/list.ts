/** `symphony list`: messages other than dead letters. */
import { type Command, Option } from 'commander'
import type { ListedMessage, MessageFilter } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { distance, shortened } from '../format.js'
import type { Output } from '../output.js'
import { firstOf, type Page } from '../pages.js'
import { table } from '../table.js'
import { past, whole } from '../values.js'

interface ListOptions {
  status?: NonNullable<MessageFilter['status']>
  type?: string
  transport?: string
  queue?: string
  priority?: number
  text?: string
  since?: number
  until?: number
  limit: number
  cursor?: string
  ids?: boolean
}

const STATUSES = ['pending', 'processing', 'completed', 'discarded', 'cancelled']

/** Adds the command. */
export function addList(program: Command): void {
  program
    .command('list')
    .summary('messages that wait, run or have run')
    .description('Messages other than dead letters, newest first: all, or those that match a query of docs/search.md.')
    .argument('[query]', "such as 'type:Mail payload.user.id:123 created:>-1h'")
    .addOption(new Option('--status <status>', 'only those in this state').choices(STATUSES))
    .option('--type <type>', 'only this message type')
    .option('--transport <name>', 'only this transport')
    .option('--queue <name>', 'only this queue')
    .option('--priority <1-10>', 'only this priority', whole(1))
    .option('--text <text>', 'only those whose payload or last error has this text')
    .option('--since <when>', 'dispatched at or after then: 2h, a day, an instant', past)
    .option('--until <when>', 'dispatched at or before then', past)
    .addOption(new Option('-n, --limit <number>', 'how many').argParser(whole(1)).default(20))
    .option('--cursor <cursor>', 'from where the previous list ended')
    .option('--ids', 'ids alone, for another command')
    .action(
      onQueue<[string?], ListOptions>(async ({ library }, { args: [query], options, out }) => {
        const { since, until, limit, cursor, status, type, transport, queue, priority, text } = options
        const filter = {
          query,
          status,
          type,
          transport,
          queue,
          priority,
          text,
          createdAfter: since,
          createdBefore: until,
        }
        show(await firstOf(limit, cursor, (page) => library.listMessages({ ...given(filter), ...page })), options, out)
      }),
    )
}

function show({ messages, nextCursor }: Page<ListedMessage>, { ids }: ListOptions, out: Output): void {
  if (ids) for (const { id } of messages) out.print(id)
  else if (out.json === 'lines') for (const message of messages) out.data(message)
  else if (out.json === 'document') out.data({ messages, nextCursor })
  else if (messages.length > 0)
    out.print(
      table(
        COLUMNS,
        messages.map((message) => row(message, out)),
        out.paint,
      ),
    )
  else out.say('no message matches')
  if (nextCursor !== null && out.json !== 'document') out.say(`more follow: --cursor ${nextCursor}`)
}

const COLUMNS = [
  { title: 'ID' },
  { title: 'TYPE' },
  { title: 'STATUS' },
  { title: 'TRANSPORT/QUEUE' },
  { title: 'PRIO', right: true },
  { title: 'CREATED' },
  { title: 'RETRIES', right: true },
  { title: 'NEXT, OR LAST ERROR' },
]

function row(message: ListedMessage, { paint }: Output): string[] {
  const { id, type, status, transport, queue, priority, createdAt, availableAt, retryCount, lastError } = message
  const now = Date.now()
  const isDelayed = status === 'pending' && availableAt.getTime() > now
  const fate = [
    isDelayed ? distance(availableAt, now) : '',
    lastError === null ? '' : paint.red(shortened(lastError, 60)),
  ]
  return [
    id,
    type,
    isDelayed ? 'delayed' : status,
    `${transport}/${queue}`,
    String(priority),
    distance(createdAt, now),
    retryCount === 0 ? '' : String(retryCount),
    fate.filter((part) => part !== '').join(', '),
  ]
}
