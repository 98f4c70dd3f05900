/** `symphony pause`, `resume` and `pauses`: what is not handled for a while. */
import type { Command } from 'commander'
import type { Pause } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { actor } from '../actor.js'
import { EXIT, Exit } from '../exit.js'
import { distance } from '../format.js'
import { table } from '../table.js'
import { duration } from '../values.js'

interface ScopeOptions {
  transport?: string
  queue?: string
  type?: string
  reason?: string
}

/** Adds the commands. */
export function addPause(program: Command): void {
  scoped(program.command('pause'))
    .summary('keep messages of a queue, type or transport from being handled')
    .description(
      'Pauses messages: from now on no process claims any of them, until they are resumed. Dispatches go on.',
    )
    .option('--for <duration>', 'resume by itself after so long', duration)
    .action(
      onQueue<[], ScopeOptions & { for?: number }>(async ({ library }, { options, out }) => {
        const paused = await library.pause({ ...scopeOf(options), ...given({ for: options.for }) })
        if (out.json !== undefined) out.data(paused)
        out.done(
          `${named(paused)} is paused${paused.until === null ? '' : `, ends ${distance(paused.until, Date.now())}`}`,
        )
      }),
    )
  scoped(program.command('resume'))
    .summary('let them go on')
    .description('Ends the pause of exactly these names. Workers that wait begin at once.')
    .action(
      onQueue<[], ScopeOptions>(async ({ library }, { options, out }) => {
        const resumed = await library.resume(scopeOf(options))
        if (resumed === null)
          throw new Exit(EXIT.notFound, 'nobody has paused that; symphony pauses shows what is paused')
        if (out.json !== undefined) out.data(resumed)
        out.done(`${named(resumed)} goes on, after a pause that began ${distance(resumed.since, Date.now())}`)
      }),
    )
  program
    .command('pauses')
    .summary('what is paused')
    .description('What is paused, since when, by whom and why.')
    .action(
      onQueue(async ({ library }, { out }) => {
        const pauses = await library.listPauses()
        if (out.json === 'document') return out.data(pauses)
        if (out.json === 'lines') for (const pause of pauses) out.data(pause)
        else if (pauses.length === 0) out.say(out.shade.dim('nothing is paused'))
        else out.print(table(COLUMNS, pauses.map(row), out.paint))
      }),
    )
}

function scoped(command: Command): Command {
  return command
    .option('--queue <name>', 'of this queue')
    .option('--type <type>', 'of this message type')
    .option('--transport <name>', 'of this transport')
    .option('--reason <text>', 'why, for the audit')
}

function scopeOf({ transport, queue, type, reason }: ScopeOptions): object & { actor: string } {
  if (transport === undefined && queue === undefined && type === undefined) {
    throw new Exit(EXIT.usage, 'say what: --queue, --type or --transport')
  }
  return { ...given({ transport, queue, type, reason }), actor: actor() }
}

function named({ transport, queue, type }: Pause): string {
  const names = { type, queue, transport }
  const parts = Object.entries(names).filter(([, name]) => name !== null)
  return parts.map(([what, name]) => `${what} ${name}`).join(' in ')
}

const COLUMNS = [{ title: 'WHAT' }, { title: 'SINCE' }, { title: 'ENDS' }, { title: 'BY' }, { title: 'WHY' }]

function row(pause: Pause): string[] {
  const { since, until, actor: who, reason } = pause
  return [named(pause), distance(since, Date.now()), distance(until, Date.now()), who ?? '–', reason ?? '–']
}
