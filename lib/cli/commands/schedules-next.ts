/** `symphony schedules next`: when a schedule runs, or when an expression would. */
import { type Command, Option } from 'commander'
import type { Schedule } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { distance } from '../format.js'
import type { Library } from '../session.js'
import { table } from '../table.js'
import { whole } from '../values.js'

interface NextOptions {
  count: number
  timezone?: string
}

/** Adds the command. */
export function addSchedulesNext(schedules: Command): void {
  schedules
    .command('next')
    .summary('the next runs of a schedule, or of a cron expression')
    .description('The next runs of a schedule by its name, or of a cron expression, which needs no database.')
    .argument('<name or expression>')
    .addOption(new Option('-n, --count <number>', 'how many').argParser(whole(1)).default(5))
    .option('--timezone <zone>', 'of an expression: an IANA name; UTC by default')
    .action(
      onQueue<[string], NextOptions>(async ({ library }, { args: [subject], options: { count, timezone }, out }) => {
        const { runs, zone } = isExpression(subject)
          ? { runs: library.nextRuns(subject, given({ count, timezone })), zone: timezone ?? 'UTC' }
          : await runsOf(library, subject, count)
        if (out.json === 'lines') for (const run of runs) out.data(run)
        else if (out.json === 'document') out.data(runs)
        else if (runs.length === 0) out.say('it will not run again')
        else {
          const rows = runs.map((run) => [run.toISOString(), local(run, zone), distance(run, Date.now())])
          out.print(table([{ title: 'UTC' }, { title: zone }, { title: '' }], rows, out.paint))
        }
      }),
    )
}

/** Five fields with blanks between them, or a word such as `@daily`. */
function isExpression(text: string): boolean {
  return /^@\w+$/.test(text.trim()) || text.trim().split(/\s+/).length >= 5
}

async function runsOf(library: Library, name: string, count: number): Promise<{ runs: Date[]; zone: string }> {
  const schedule = await library.getSchedule(name)
  if (schedule === null) throw new Exit(EXIT.notFound, `no schedule is called ${name}`)
  return { runs: planned(library, schedule, count), zone: schedule.timezone }
}

function planned(library: Library, schedule: Schedule, count: number): Date[] {
  const { status, nextRunAt, cron, timezone, every, name, until } = schedule
  if (status !== 'active' || nextRunAt === null) return []
  // Jitter belongs to the run that is planned; those after it are where the expression has them.
  const later =
    cron !== null
      ? library.nextRuns(cron, { timezone, seed: name, from: nextRunAt, count })
      : Array.from(
          { length: every === null ? 0 : count },
          (_, run) => new Date(nextRunAt.getTime() + (run + 1) * (every ?? 0)),
        )
  return [nextRunAt, ...later].filter((run) => until === null || run < until).slice(0, count)
}

function local(run: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
  }).format(run)
}
