/** Workers and schedulers from the shell: their options, what they print, and how they end. */
import type { Command } from 'commander'
import { given } from '../base/given.js'
import type { ConsumeResult, MessageEvent, RunDueResult, Scheduler, Worker, WorkerOptions } from '../index.js'
import { shortened, span } from './format.js'
import type { Output } from './output.js'
import type { Library } from './session.js'
import { collected, duration, whole } from './values.js'

/** The options of a worker on the command line. */
export interface WorkingOptions {
  handlers?: string
  limit?: number
  failureLimit?: number
  memoryLimit?: string
  timeLimit?: number
  queues?: string[]
  all?: boolean
  exclude?: string[]
  fetchSize?: number
  concurrency?: number
  sleep?: number
  listen?: boolean
}

/** Adds the options of a worker to a command. */
export function working(command: Command): Command {
  return command
    .option('--handlers <file>', 'the module that registers handlers; symphony.handlers.* by default')
    .option('-l, --limit <number>', 'stop after this many messages', whole(1))
    .option('-f, --failure-limit <number>', 'stop after this many failed messages', whole(1))
    .option('-m, --memory-limit <size>', 'stop when the process uses more than this, such as 256M')
    .option('-t, --time-limit <duration>', 'stop after this long', duration)
    .option('--queues <names>', 'only these queues, with commas between them', collected)
    .option('--all', 'all transports, as if none were named')
    .option('--exclude <names>', 'all transports but these', collected)
    .option('--fetch-size <number>', 'messages in one claim', whole(1))
    .option('--concurrency <number>', 'handlers running at a time', whole(1))
    .option('--sleep <duration>', 'between two looks when nothing is due', duration)
    .option('--no-listen', 'only look, and do not wait to be woken')
}

/** What the options mean to a worker that consumes these transports; none: all that can be consumed. */
export function workerOptions(library: Library, transports: string[], options: WorkingOptions): WorkerOptions {
  const { limit, failureLimit, memoryLimit, timeLimit, queues, exclude, fetchSize, concurrency, sleep, listen } =
    options
  return given({
    messageLimit: limit,
    failureLimit,
    memoryLimit,
    timeLimit,
    queues,
    batchSize: fetchSize,
    maxConcurrency: concurrency,
    pollInterval: sleep,
    listen: listen === false ? false : undefined,
    transports: chosen(library, options.all ? [] : transports, exclude),
  })
}

function chosen(library: Library, transports: string[], exclude: string[] = []): string[] | undefined {
  if (exclude.length === 0) return transports.length > 0 ? transports : undefined
  const configured = Object.entries(library.getConfig().transports)
  const consumable = configured.filter(([, { type, enabled }]) => type !== 'sync' && enabled !== false)
  const all = transports.length > 0 ? transports : consumable.map(([name]) => name)
  return all.filter((name) => !exclude.includes(name))
}

/** Log lines about single messages stay away: they are printed already, in one form whatever the environment. */
export function withoutMessageLines(library: Library): void {
  const logger = library.getLogger()
  const passing =
    (write: (message: string, fields?: Record<string, unknown>) => void) =>
    (message: string, fields?: Record<string, unknown>): void => {
      if (!String(fields?.event).startsWith('message.')) write(message, fields)
    }
  library.setLogger({
    debug: passing(logger.debug),
    info: passing(logger.info),
    warn: passing(logger.warn),
    error: passing(logger.error),
    enabled: (level) => logger.enabled?.(level) !== false,
  })
}

/** What a worker says when it is at work. */
export function started(types: readonly string[]): string {
  return `consuming ${types.join(', ')}; Ctrl-C lets running handlers finish, a second one hands their messages back`
}

/** Prints what becomes of messages; of those that succeed only if asked for more, or as JSON. */
export function printMessages(worker: Worker, out: Output): void {
  const { red, yellow, green, dim } = out.paint
  const print =
    (name: string, mark: string, fate: (event: MessageEvent) => string) =>
    (event: MessageEvent): void => {
      if (out.json === 'lines') out.data({ event: name, at: new Date(), ...event })
      if (out.json !== undefined) return
      out.print(`${dim(clock())} ${mark} ${event.type} ${dim(event.id)} ${fate(event)}`.trimEnd())
      if (out.verbose && event.error?.stack !== undefined) out.print(dim(event.error.stack))
    }
  const problem = ({ error }: MessageEvent): string => red(`${error?.class}: ${shortened(error?.message ?? '', 120)}`)
  const later = ({ delay = 0 }: MessageEvent): string => `again in ${span(delay)}`
  worker.on(
    'retried',
    print('retried', yellow('↻'), (event) => `${later(event)}, ${problem(event)}`),
  )
  worker.on(
    'deadLettered',
    print('deadLettered', red('✗'), (event) => `dead letter, ${problem(event)}`),
  )
  worker.on('snoozed', print('snoozed', yellow('…'), later))
  worker.on(
    'discarded',
    print('discarded', dim('–'), ({ reason }) => `discarded${reason ? `: ${reason}` : ''}`),
  )
  if (out.verbose || out.json === 'lines')
    worker.on(
      'completed',
      print('completed', green('✓'), () => ''),
    )
}

/** Prints what a consumer did. */
export function printResult(result: ConsumeResult, out: Output): void {
  if (out.json !== undefined) {
    out.data(out.json === 'lines' ? { event: 'stopped', at: new Date(), ...result } : result)
    return
  }
  const { succeeded, retried, deadLettered, released, duration: time, stoppedBy, queueDepth } = result
  const counts = [
    `${succeeded} handled`,
    retried > 0 ? `${retried} to be retried` : '',
    deadLettered > 0 ? `${deadLettered} dead letters` : '',
    released > 0 ? `${released} handed back` : '',
    queueDepth > 0 ? `${queueDepth} still due` : '',
  ]
  out.print(`${counts.filter(Boolean).join(', ')}, in ${span(time)}; ${STOPPED[stoppedBy]}`)
}

const STOPPED: Record<ConsumeResult['stoppedBy'], string> = {
  empty: 'nothing more is due',
  messageLimit: 'the limit of messages is reached',
  timeLimit: 'the time is up',
  failureLimit: 'the limit of failures is reached',
  memoryLimit: 'the limit of memory is reached',
  signal: 'stopped by a signal',
  stopped: 'stopped',
}

/** Prints what a scheduler dispatches. */
export function printRuns(scheduler: Scheduler, out: Output): void {
  const { red, dim } = out.paint
  scheduler.on('ran', ({ messages, errors }: RunDueResult) => {
    if (out.json === 'lines')
      for (const message of messages) out.data({ event: 'dispatched', at: new Date(), ...message })
    if (out.json !== undefined) return
    for (const { schedule, messageId, transport } of messages) {
      out.print(`${dim(clock())} → ${schedule} ${dim(messageId)} queued in ${transport}`)
    }
    for (const { schedule, message } of errors) out.print(`${dim(clock())} ${red('✗')} ${schedule} ${red(message)}`)
  })
}

/** The time of day, as in a log. */
export function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}

/**
 * Counts signals while work is under way: the first one asks it to end, a second one forces it, and then the exit code
 * is that of the signal.
 */
export function watchSignals(out: Output, stop: () => void = () => undefined): { exitCode: () => number } {
  let signals = 0
  let code = 0
  for (const [signal, ending] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      signals += 1
      if (signals > 1) code = ending
      else out.say('stopping, after the handlers that run')
      stop()
    })
  }
  return { exitCode: () => code }
}
