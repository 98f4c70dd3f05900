/** `symphony show`: one message, in any state. */
import type { Command } from 'commander'
import type { FailedMessage, FailedRun, QueuedMessage } from '../../admin.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { instant, span } from '../format.js'
import { indented } from '../json-text.js'
import type { Output } from '../output.js'
import { facts } from '../table.js'

/** Adds the command. */
export function addShow(program: Command): void {
  program
    .command('show')
    .summary('one message, in any state')
    .description('One message, in any state, by its id; also a dead letter by its own.')
    .argument('<id>')
    .action(
      onQueue<[string]>(async ({ library }, { args: [id], out }) => {
        const message = await library.getMessage(id)
        if (message !== null) return showMessage(message, out)
        const failed = await library.getFailed(id)
        if (failed === null) throw new Exit(EXIT.notFound, `no message has the id ${id}, or it is not kept any more`)
        showFailed(failed, out)
      }),
    )
}

function showMessage(message: QueuedMessage, out: Output): void {
  if (out.json !== undefined) {
    out.data(message)
    return
  }
  const now = Date.now()
  const entries: Array<[string, string | null]> = [
    ['id', message.id],
    ['type', message.type],
    ['status', status(message, out)],
    ['where', `${message.transport}/${message.queue}, priority ${message.priority}`],
    ['dispatched', instant(message.createdAt, now)],
    ['due', message.status === 'pending' ? instant(message.availableAt, now) : null],
    ['claimed', message.startedAt === null ? null : instant(message.startedAt, now)],
    ['worker', message.workerId],
    ['finished', message.finishedAt === null ? null : instant(message.finishedAt, now)],
    ['retries', `${message.retryCount}${message.maxRetries === null ? '' : ` of ${message.maxRetries}`}`],
    ['crashes', message.crashes === 0 ? null : String(message.crashes)],
    ['key', message.idempotencyKey],
    ['dead letter', message.failedMessageId],
    ...parts(message),
    ['last error', message.lastError === null ? null : out.paint.red(message.lastError)],
  ]
  printFacts(entries, out)
  printRuns(message.errorHistory, out)
}

/** A dead letter, for the commands that have one. */
export function showFailed(message: FailedMessage, out: Output): void {
  if (out.json !== undefined) {
    out.data(message)
    return
  }
  const now = Date.now()
  const entries: Array<[string, string | null]> = [
    ['dead letter', message.id],
    ['message', message.messageId],
    ['type', message.type],
    ['where', `${message.transport}/${message.queue}, priority ${message.priority}`],
    ['dispatched', instant(message.createdAt, now)],
    ['failed', instant(message.failedAt, now)],
    ['retries', String(message.retryCount)],
    ['crashes', message.crashes === 0 ? null : String(message.crashes)],
    ['key', message.idempotencyKey],
    ...parts(message),
    ['error', out.paint.red(`${message.errorClass}: ${message.error}`)],
  ]
  printFacts(entries, out)
  printRuns(message.errorHistory, out)
  out.say(out.shade.dim(`\n→ symphony failed retry ${message.id}`))
}

function status({ status: state, availableAt }: QueuedMessage, { paint }: Output): string {
  if (state === 'pending') return availableAt.getTime() > Date.now() ? paint.yellow('delayed') : paint.yellow('pending')
  return state === 'failed' ? paint.red('failed') : paint.green(state)
}

function parts({ payloadText, headers, metadata }: FailedMessage | QueuedMessage): Array<[string, string | null]> {
  const others = Object.entries({ headers, metadata }).map(([name, value]): [string, string | null] => [
    name,
    Object.keys(value).length === 0 ? null : JSON.stringify(value, null, 2),
  ])
  return [['payload', indented(payloadText)], ...others]
}

function printFacts(entries: ReadonlyArray<[string, string | null]>, out: Output): void {
  out.print(
    facts(
      entries.filter((entry): entry is [string, string] => entry[1] !== null),
      out.paint,
    ),
  )
}

/** The runs that failed, oldest first, each with where it was thrown. */
function printRuns(runs: readonly FailedRun[], out: Output): void {
  if (runs.length === 0) return
  out.print()
  out.print(out.paint.dim(`${runs.length === 1 ? 'the run' : `the ${runs.length} runs`} that failed`))
  for (const { at, class: name, message, stack, ms } of runs) {
    const took = ms === undefined ? '' : out.paint.dim(`, after ${span(ms)}`)
    out.print(`${out.paint.dim(at.toISOString())}  ${out.paint.red(name)}: ${message}${took}`)
    if (stack !== undefined)
      out.print(
        out.paint.dim(
          stack
            .split('\n')
            .map((line) => `  ${line.trim()}`)
            .join('\n'),
        ),
      )
  }
}
