/** `symphony dispatch`: one message. */
import type { Command } from 'commander'
import { given } from '../../base/given.js'
import type { DispatchOptions } from '../../index.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { distance } from '../format.js'
import { exactPayloadOf, textOf } from '../payload.js'
import { duration, future, pair, whole } from '../values.js'

interface Options {
  transport?: string
  queue?: string
  priority?: number
  delay?: number
  at?: number
  key?: string
  header?: Record<string, string>
  maxRetries?: number
}

/** Adds the command. */
export function addDispatch(program: Command): void {
  program
    .command('dispatch')
    .summary('dispatch a message')
    .description('Dispatches a message, routed as the configuration says. Prints its id.')
    .argument('<type>', 'the message type')
    .argument('[payload]', 'a JSON object; @file reads it from a file, - from stdin', '{}')
    .option('--transport <name>', 'this transport, instead of routing')
    .option('--queue <name>', 'the queue within the transport')
    .option('--priority <1-10>', '10 comes first', whole(1))
    .option('--delay <duration>', 'not before this much later', duration)
    .option('--at <instant>', 'not before this instant', future)
    .option('--key <key>', 'an idempotency key: a second message with it is a duplicate')
    .option('--header <name=value>', 'text that travels with it; several times', pair)
    .option('--max-retries <number>', "instead of the type's retry strategy", whole())
    .addHelpText('after', `\nsymphony dispatch WelcomeMail '{ "to": "ada@example.com" }' --delay 5m`)
    .action(
      onQueue<[string, string], Options>(async ({ library }, { args: [type, text], options, out }) => {
        const { transport, queue, priority, delay, at, key, header, maxRetries } = options
        const payload = exactPayloadOf(await textOf(text), 'the payload')
        const named = { transport, queue, priority, delay, maxRetries, headers: header }
        const asked: DispatchOptions = given({ ...named, scheduledAt: at, idempotencyKey: key })
        const result = await library.dispatch({ type, payload }, asked)
        if (out.json !== undefined) return out.data(result)
        for (const stored of result.messages) {
          if ('error' in stored) throw new Exit(EXIT.failed, `${stored.transport}: ${stored.error.message}`)
          const due = stored.status === 'queued' ? `, due ${distance(stored.availableAt, Date.now())}` : ''
          out.print(`${stored.messageId}  ${stored.status} in ${stored.transport}${due}`)
        }
      }),
    )
}
