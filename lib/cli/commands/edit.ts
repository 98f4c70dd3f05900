/** `symphony edit`: changes a message before it runs. */
import type { Command } from 'commander'
import type { MessageChanges } from '../../admin.js'
import { given } from '../../base/given.js'
import { onQueue } from '../acting.js'
import { because } from '../actor.js'
import { EXIT, Exit } from '../exit.js'
import { payloadOf, textOf } from '../payload.js'
import { due, future, pair, whole } from '../values.js'

interface Options {
  payload?: string
  header?: Record<string, string>
  queue?: string
  priority?: number
  maxRetries?: number
  delay?: number
  at?: number
  reason?: string
}

/** Adds the command. */
export function addEdit(program: Command): void {
  program
    .command('edit')
    .summary('change a message before it runs')
    .description(
      'Changes a message that waits; what is not given stays as it is. One that runs or is over stays as it is, and the ' +
        'exit code is 1. The audit says what has changed, but not what it holds.',
    )
    .argument('<id>')
    .option('--payload <json>', 'another payload, with every digit; @file reads it from a file, - from stdin')
    .option('--header <name=value>', 'other headers, instead of all of them; several times', pair)
    .option('--queue <name>', 'another queue of its transport')
    .option('--priority <1-10>', 'another priority', whole(1))
    .option('--max-retries <number>', 'how many retries are allowed', whole())
    .option('--delay <duration>', 'due after so long; 0: now', due)
    .option('--at <instant>', 'due at this instant', future)
    .option('--reason <text>', 'why, for the audit')
    .addHelpText('after', '\nsymphony show <id> --json | jq .payload > payload.json, then --payload @payload.json')
    .action(
      onQueue<[string], Options>(async ({ library }, { args: [id], options, out }) => {
        const { payload, header, queue, priority, maxRetries, delay, at, reason } = options
        const payloadText = payload === undefined ? undefined : await textOf(payload)
        if (payloadText !== undefined) payloadOf(payloadText)
        const changes: MessageChanges = given({
          payloadText,
          headers: header,
          queue,
          priority,
          maxRetries,
          delay,
          scheduledAt: at,
        })
        if (Object.keys(changes).length === 0) throw new Exit(EXIT.usage, 'say what changes: --payload, --queue, …')
        const { edited, status } = await library.editMessage(id, changes, because(reason))
        if (out.json !== undefined) out.data({ id, edited, status })
        if (status === null) throw new Exit(EXIT.notFound, `no message has the id ${id}`)
        if (!edited) throw new Exit(EXIT.failed, `${id} is ${status}, and stays as it is`)
        out.done(`${id} has changed`)
      }),
    )
}
