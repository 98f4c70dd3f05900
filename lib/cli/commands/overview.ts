/** `symphony` alone: how the queue is, and the commands. */
import type { Command } from 'commander'
import { didYouMean } from '../../base/suggestions.js'
import { acting } from '../acting.js'
import { several } from '../format.js'
import type { Output } from '../output.js'
import { type Session, withSession } from '../session.js'

/** Makes it the action of the program itself. */
export function addOverview(program: Command): void {
  program.argument('[command]').action(
    acting<[string?]>(async ({ args: [stray], options, out }) => {
      if (stray !== undefined) {
        const known = program.commands.map((command) => command.name()).filter((name) => name !== 'complete')
        program.error(`error: unknown command ${stray}${didYouMean(known, stray)}`)
      }
      await withSession(options, out, (session) => state(session, out)).catch((error: Error) =>
        out.say(`${out.shade.yellow('!')} ${error.message}`),
      )
      out.print()
      out.print(program.helpInformation().trimEnd())
    }),
  )
}

async function state({ library }: Session, out: Output): Promise<void> {
  const { queue, totalProcessed, totalDeadLettered } = await library.getMetrics({ minutes: 60 })
  const plus = queue.capped ? ' or more' : ''
  out.print(`waiting    ${queue.pending} due, ${queue.delayed} delayed, ${queue.processing} running${plus}`)
  out.print(`last hour  ${several(totalProcessed, 'run')}, ${several(totalDeadLettered, 'new dead letter')}`)
  out.print(`kept       ${several(queue.failed, 'dead letter')}, ${several(queue.schedules, 'schedule')}`)
}
