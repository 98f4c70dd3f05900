/** `symphony stop-workers`: lets workers end, wherever they run. */
import type { Command } from 'commander'
import type { StoppingWorker } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { actor } from '../actor.js'
import { EXIT } from '../exit.js'
import { several, span } from '../format.js'
import { collected, duration } from '../values.js'

interface StopOptions {
  transport?: string
  id?: string[]
  wait?: boolean
  timeout?: number
  reason?: string
}

/** Adds the command. */
export function addStopWorkers(program: Command): void {
  program
    .command('stop-workers')
    .summary('let workers end, wherever they run')
    .description(
      'Asks workers to stop. Each hears of it with its next heartbeat, claims nothing more, hands back what it has not ' +
        'begun, and ends when its handlers have. With --wait the command ends when nothing is in flight any more.',
    )
    .option('--transport <name>', 'only those that take this transport')
    .option('--id <id>', 'only this worker; may be given several times', collected)
    .option('--wait', 'wait until they are gone')
    .option('--timeout <duration>', 'wait so long at most, then exit with 1', duration)
    .option('--reason <text>', 'why, for the audit')
    .action(
      onQueue<[], StopOptions>(async ({ library }, { options, out }) => {
        const { transport, id, wait = false, timeout, reason } = options
        const began = Date.now()
        let before: StoppingWorker[] = []
        const stopped = await library.stopWorkers({
          wait,
          actor: actor(),
          onProgress(left) {
            for (const gone of before.filter((it) => left.every((other) => other.id !== it.id))) {
              out.done(`${gone.host} (pid ${gone.pid}) is gone after ${span(Date.now() - began)}`)
            }
            before = left
          },
          ...given({ transport, ids: id, timeout, reason }),
        })
        if (out.json !== undefined) out.data(stopped)
        if (stopped.asked.length === 0) out.say('no worker is at work')
        else if (!wait) out.done(`${several(stopped.asked.length, 'worker')} asked to stop`)
        for (const { host, pid, running } of wait ? stopped.waitingFor : []) {
          out.complain(`${host} (pid ${pid}) is still there, with ${several(running, 'message')} in hand`)
        }
        return wait && stopped.waitingFor.length > 0 ? EXIT.failed : EXIT.done
      }),
    )
}
