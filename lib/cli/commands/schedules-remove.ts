/** `symphony schedules remove`: deletes a schedule. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { type ConsentOptions, mayGoOn } from '../consent.js'
import { EXIT, Exit } from '../exit.js'
import { timing } from '../timing.js'

/** Adds the command. */
export function addSchedulesRemove(schedules: Command): void {
  schedules
    .command('remove')
    .summary('delete a schedule')
    .description('Deletes a schedule. Messages that it has dispatched stay. Asks first.')
    .argument('<name>')
    .option('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would be deleted')
    .action(
      onQueue<[string], ConsentOptions & { reason?: string }>(
        async ({ library, isProduction }, { args: [name], options, out }) => {
          const schedule = await library.getSchedule(name)
          if (schedule === null) throw new Exit(EXIT.notFound, `no schedule is called ${name}`)
          const samples = [`${name}  ${timing(schedule)}  ${schedule.type}`]
          const plan = { what: `delete the schedule ${name}`, samples, word: name, isProduction }
          const removed =
            (await mayGoOn(plan, options, out)) && (await library.deleteSchedule(name, because(options.reason)))
          if (removed) out.done(`${name} is deleted`)
          if (out.json !== undefined) out.data({ removed, dryRun: options.dryRun === true })
        },
      ),
    )
}
