/** `symphony audit`: what operators did. */
import { type Command, Option } from 'commander'
import type { AuditEntry } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { distance, several, shortened } from '../format.js'
import { table } from '../table.js'
import { past, whole } from '../values.js'

interface AuditCommandOptions {
  limit: number
  actor?: string
  action?: string
  since?: number
  cursor?: string
}

/** Adds the command. */
export function addAudit(program: Command): void {
  program
    .command('audit')
    .summary('who did what')
    .description('What operators did, newest first: pauses, and operations with how far they have come.')
    .addOption(new Option('-n, --limit <number>', 'how many').argParser(whole(1)).default(20))
    .option('--actor <who>', 'only of this actor')
    .option('--action <what>', 'only this action, such as retry or pause')
    .option('--since <when>', 'at or after then: 2h, a day, an instant', past)
    .option('--cursor <cursor>', 'from where the previous list ended')
    .action(
      onQueue<[], AuditCommandOptions>(async ({ library }, { options, out }) => {
        const { limit, actor, action, since, cursor } = options
        const page = await library.listAudit({
          limit: Math.min(limit, 1_000),
          ...given({ actor, action, after: since, cursor }),
        })
        if (out.json === 'document') return out.data(page)
        if (out.json === 'lines') for (const entry of page.entries) out.data(entry)
        else if (page.entries.length === 0) out.say(out.shade.dim('nobody has done anything'))
        else out.print(table(COLUMNS, page.entries.map(row), out.paint))
        if (page.nextCursor !== null) out.say(`more follow: --cursor ${page.nextCursor}`)
      }),
    )
}

const COLUMNS = [
  { title: 'ID' },
  { title: 'WHEN' },
  { title: 'WHO' },
  { title: 'WHAT' },
  { title: 'DONE', right: true },
  { title: 'STATE' },
  { title: 'WHY' },
]

function row({ id, at, actor, action, done, skipped, failed, ended, reason }: AuditEntry): string[] {
  const trouble = [
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(failed > 0 ? [several(failed, 'failure')] : []),
    ended ?? 'can go on',
  ]
  return [
    id,
    distance(at, Date.now()),
    actor ?? '–',
    action,
    String(done),
    trouble.join(', '),
    shortened(reason ?? '–', 40),
  ]
}
