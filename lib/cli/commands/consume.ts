/** `symphony consume`: a worker. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { loadHandlers } from '../handlers.js'
import {
  printMessages,
  printResult,
  started,
  type WorkingOptions,
  watchSignals,
  withoutMessageLines,
  workerOptions,
  working,
} from '../working.js'

/** Adds the command. */
export function addConsume(program: Command): void {
  working(program.command('consume'))
    .summary('handle messages, until it is stopped')
    .description('Handles messages until it is stopped or a limit is reached. Ctrl-C lets running handlers finish.')
    .argument('[transport...]', 'only these transports, in this order')
    .option('--drain', 'stop when nothing is due')
    .action(
      onQueue<[string[]], WorkingOptions & { drain?: boolean }>(
        async ({ library }, { args: [transports], options, out }) => {
          await loadHandlers(library, options.handlers)
          const asked = workerOptions(library, transports, options)
          if (options.drain) {
            const ended = new AbortController()
            watchSignals(out, () => ended.abort())
            const { pollInterval: _, listen: __, ...bounded } = asked
            printResult(await library.consumeBatch({ ...bounded, signal: ended.signal }), out)
            return
          }
          withoutMessageLines(library)
          const worker = new library.Worker(asked)
          const signals = watchSignals(out)
          printMessages(worker, out)
          worker.on('started', () => out.say(started(library.getRegistry().types())))
          printResult(await worker.run(), out)
          return signals.exitCode()
        },
      ),
    )
}
