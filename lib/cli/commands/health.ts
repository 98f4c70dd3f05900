/** `symphony health`: the quick checks, for a probe. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { endingOf, showFindings } from '../findings.js'
import { several, span } from '../format.js'

/** Adds the command. */
export function addHealth(program: Command): void {
  program
    .command('health')
    .summary('whether the queue does its work, for a probe')
    .description('The quick checks, in 5 s at most. Exits with 1 if one of them is an error.')
    .option('--strict', 'exit with 6 if something is a warning')
    .action(
      onQueue<[], { strict?: boolean }>(async ({ library }, { options, out }) => {
        const health = await library.getHealth({ registry: null })
        const { status, findings, metrics } = health
        if (out.json !== undefined) out.data(health)
        else {
          showFindings(findings, out)
          const { queueDepth, processingRate, averageLatency } = metrics
          out.print()
          const rate = `${Math.round(processingRate * 10) / 10} per minute, ${span(averageLatency)} each`
          out.print(out.paint.dim(`${status} · ${several(queueDepth, 'due message')} · ${rate}`))
        }
        return endingOf(status, options.strict)
      }),
    )
}
