/** `symphony why`: what keeps a message from running. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'

/** Adds the command. */
export function addWhy(program: Command): void {
  program
    .command('why')
    .summary('what keeps a message from running')
    .description('What keeps a message from running: the first thing to mend comes first.')
    .argument('<id>')
    .action(
      onQueue<[string]>(async ({ library }, { args: [id], out }) => {
        const answer = await library.why(id)
        if (answer === null) throw new Exit(EXIT.notFound, `no message has the id ${id}`)
        if (out.json !== undefined) return out.data(answer)
        const { status, type, transport, queue, reasons } = answer
        out.print(`${out.paint.bold(type)} in ${transport}/${queue}, ${status}`)
        for (const [place, { message, remedy }] of reasons.entries()) {
          out.print(`${place === 0 ? out.paint.yellow('→') : out.paint.dim('· then:')} ${message}`)
          if (remedy !== undefined) out.print(out.paint.dim(`  ${remedy}`))
        }
      }),
    )
}
