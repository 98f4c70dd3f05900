/** `symphony duplicates`: idempotency keys that have refused dispatches. */
import { type Command, Option } from 'commander'
import type { RefusedKey } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { count, distance, shortened } from '../format.js'
import { print } from '../listing.js'
import { past, whole } from '../values.js'

/** Adds the command. */
export function addDuplicates(program: Command): void {
  program
    .command('duplicates')
    .summary('idempotency keys that have refused dispatches')
    .description('Idempotency keys that have refused dispatches as duplicates, those that were taken last first.')
    .addOption(new Option('-n, --limit <number>', 'how many').argParser(whole(1)).default(20))
    .option('--until <when>', 'only those that were taken before then: 2h, a day, an instant', past)
    .action(
      onQueue<[], { limit: number; until?: number }>(async ({ library }, { options, out }) => {
        const { limit, until } = options
        const keys = await library.listRefusedKeys({ limit: Math.min(limit, 1_000), ...given({ before: until }) })
        print(keys, { columns: COLUMNS, row, empty: 'no key has refused anything' }, out)
      }),
    )
}

const COLUMNS = [
  { title: 'KEY' },
  { title: 'TYPE' },
  { title: 'TRANSPORT' },
  { title: 'REFUSED', right: true },
  { title: 'TAKEN' },
  { title: 'FREE' },
  { title: 'BY' },
]

function row({ idempotencyKey, type, transport, refused, firstSeenAt, expiresAt, messageId }: RefusedKey): string[] {
  const [taken, free] = [distance(firstSeenAt, Date.now()), distance(expiresAt, Date.now())]
  return [shortened(idempotencyKey, 60), type ?? '–', transport, count(refused), taken, free, messageId]
}
