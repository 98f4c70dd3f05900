/** `symphony scheduler`: runs schedules when they are due. */
import type { Command } from 'commander'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { duration } from '../values.js'
import { printRuns } from '../working.js'

/** Adds the command. */
export function addScheduler(program: Command): void {
  program
    .command('scheduler')
    .summary('run schedules, until it is stopped')
    .description('Dispatches the messages of schedules when they are due, until Ctrl-C. Any number may run at once.')
    .option('--sleep <duration>', 'the longest pause between two looks; 10 s by default', duration)
    .action(
      onQueue<[], { sleep?: number }>(async ({ library }, { options: { sleep }, out }) => {
        const scheduler = new library.Scheduler(given({ pollInterval: sleep }))
        printRuns(scheduler, out)
        scheduler.on('started', () => out.say('running schedules; Ctrl-C stops'))
        await scheduler.run()
        out.done('stopped')
      }),
    )
}
