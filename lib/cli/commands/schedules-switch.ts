/** `symphony schedules pause` and `resume`. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { distance } from '../format.js'

/** Adds both commands. */
export function addSchedulesSwitch(schedules: Command): void {
  schedules
    .command('pause')
    .summary('stop a schedule from running')
    .description('Stops a schedule from running until it is resumed.')
    .argument('<name>')
    .option('--reason <text>', 'why, for the audit')
    .action(
      onQueue<[string], { reason?: string }>(async ({ library }, { args: [name], options, out }) => {
        const schedule = await library.pauseSchedule(name, because(options.reason))
        if (out.json !== undefined) out.data(schedule)
        out.done(`${name} is ${schedule.status}`)
      }),
    )
  schedules
    .command('resume')
    .summary('let a paused schedule go on')
    .description('Lets a paused schedule go on with its next run. What it missed is not made up for.')
    .argument('<name>')
    .option('--reason <text>', 'why, for the audit')
    .action(
      onQueue<[string], { reason?: string }>(async ({ library }, { args: [name], options, out }) => {
        const schedule = await library.resumeSchedule(name, because(options.reason))
        if (out.json !== undefined) out.data(schedule)
        out.done(`${name} is ${schedule.status}; next run ${distance(schedule.nextRunAt, Date.now())}`)
      }),
    )
}
