/** `symphony schedules run`: one run now, beside the plan. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'

/** Adds the command. */
export function addSchedulesRun(schedules: Command): void {
  schedules
    .command('run')
    .summary('dispatch the message of a schedule now')
    .description('Dispatches the message of a schedule now, even if it is paused. Its plan stays as it is.')
    .argument('<name>')
    .option('--reason <text>', 'why, for the audit')
    .action(
      onQueue<[string], { reason?: string }>(async ({ library }, { args: [name], options, out }) => {
        const { messages } = await library.runScheduleNow(name, because(options.reason))
        if (out.json !== undefined) out.data(messages)
        else for (const { messageId, transport } of messages) out.print(`${messageId}  queued in ${transport}`)
      }),
    )
}
