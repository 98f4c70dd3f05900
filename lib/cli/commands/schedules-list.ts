/** `symphony schedules list`: all schedules, and when they run. */
import type { Command } from 'commander'
import type { Schedule } from '../../admin.js'
import { onQueue } from '../acting.js'
import { count, distance, shortened } from '../format.js'
import type { Output } from '../output.js'
import { table } from '../table.js'
import { timing } from '../timing.js'

/** Adds the command. */
export function addSchedulesList(schedules: Command): void {
  schedules
    .command('list', { isDefault: true })
    .summary('all schedules, and when they run')
    .description('Schedules by name, paused and finished ones included.')
    .action(
      onQueue(async ({ library }, { out }) => {
        const all = await library.listSchedules({ limit: 10_000 })
        if (out.json === 'lines') for (const schedule of all) out.data(schedule)
        else if (out.json === 'document') out.data(all)
        else if (all.length === 0) out.say('no schedule exists')
        else
          out.print(
            table(
              COLUMNS,
              all.map((schedule) => row(schedule, out)),
              out.paint,
            ),
          )
      }),
    )
}

const COLUMNS = [
  { title: 'NAME' },
  { title: 'WHEN' },
  { title: 'TYPE' },
  { title: 'NEXT' },
  { title: 'LAST' },
  { title: 'RUNS', right: true },
  { title: 'SKIPPED', right: true },
  { title: '' },
]

function row(schedule: Schedule, { paint }: Output): string[] {
  const { name, type, status, nextRunAt, lastRunAt, runCount, skippedCount, lastError } = schedule
  const next = status === 'active' ? distance(nextRunAt, Date.now()) : paint.dim(status)
  const error = lastError === null ? '' : paint.red(`✗ ${shortened(lastError, 60)}`)
  return [
    name,
    timing(schedule),
    type,
    next,
    distance(lastRunAt, Date.now()),
    count(runCount),
    count(skippedCount),
    error,
  ]
}
