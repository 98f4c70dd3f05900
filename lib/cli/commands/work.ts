/** `symphony work`: a worker and a scheduler in one process. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { loadHandlers } from '../handlers.js'
import {
  printMessages,
  printResult,
  printRuns,
  started,
  type WorkingOptions,
  watchSignals,
  withoutMessageLines,
  workerOptions,
  working,
} from '../working.js'

/** Adds the command. */
export function addWork(program: Command): void {
  working(program.command('work'))
    .summary('consume and scheduler in one process')
    .description('Handles messages and runs schedules, until it is stopped or a limit is reached.')
    .argument('[transport...]', 'only these transports, in this order')
    .action(
      onQueue<[string[]], WorkingOptions>(async ({ library }, { args: [transports], options, out }) => {
        await loadHandlers(library, options.handlers)
        withoutMessageLines(library)
        const worker = new library.Worker(workerOptions(library, transports, options))
        const scheduler = new library.Scheduler()
        const signals = watchSignals(out)
        printMessages(worker, out)
        printRuns(scheduler, out)
        worker.on('started', () => out.say(started(library.getRegistry().types())))
        // Each ends with the other, however that ended.
        const scheduling = scheduler.run().finally(() => worker.stop())
        const result = await worker.run().finally(() => scheduler.stop())
        await scheduling
        printResult(result, out)
        return signals.exitCode()
      }),
    )
}
