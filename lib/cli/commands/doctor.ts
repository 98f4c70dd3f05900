/** `symphony doctor`: all checks, for a person, and as a gate of deployments. */
import type { Command } from 'commander'
import { onQueue } from '../acting.js'
import { endingOf, showFindings } from '../findings.js'
import { loadHandlers } from '../handlers.js'

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('examine the queue and its database')
    .description('Examines the queue and its database, and changes nothing. Exits with 1 if something is an error.')
    .option('--handlers <file>', 'also say which waiting messages have no handler there')
    .option('--strict', 'exit with 6 if something is a warning')
    .action(
      onQueue<[], { strict?: boolean; handlers?: string }>(async ({ library }, { options, out }) => {
        const registry = new library.HandlerRegistry()
        // Handlers live elsewhere: any message may have one.
        registry.register('*', () => undefined)
        if (options.handlers !== undefined) await loadHandlers(library, options.handlers)
        const diagnosis = await library.doctor(options.handlers === undefined ? { registry } : {})
        if (out.json !== undefined) out.data(diagnosis)
        else showFindings(diagnosis.findings, out)
        return endingOf(diagnosis.status, options.strict)
      }),
    )
}
