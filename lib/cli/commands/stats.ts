/** `symphony stats`: what each queue holds, and what became of the last hour. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Metrics, QueueDepth } from '../../admin.js'
import { onQueue } from '../acting.js'
import { EXIT } from '../exit.js'
import { count, several, span } from '../format.js'
import type { Output } from '../output.js'
import { table } from '../table.js'
import { duration } from '../values.js'

interface StatsOptions {
  watch?: number | true
  failOver?: Limit[]
}

/** A figure that must not be above its limit. */
interface Limit {
  name: Figure
  most: number
}

type Figure = keyof typeof FIGURES

const FIGURES = {
  pending: ({ queue }: Metrics) => queue.pending,
  delayed: ({ queue }: Metrics) => queue.delayed,
  running: ({ queue }: Metrics) => queue.processing,
  failed: ({ queue }: Metrics) => queue.failed,
  oldest: ({ queue }: Metrics) => queue.oldestAge ?? 0,
}

/** Adds the command. */
export function addStats(program: Command): void {
  program
    .command('stats')
    .summary('what waits in each queue, and how the last hour went')
    .description('What each queue holds now, and what became of the last hour. Counting stops at 10,000 of a kind.')
    .argument('[transport]', 'only this transport')
    .option('--watch [interval]', 'look again every 2 s, or at this interval', duration)
    .option('--fail-over <figure=limit>', LIMITS, toLimit)
    .addHelpText('after', '\nIn a deployment: symphony stats --fail-over pending=1000 --fail-over oldest=5m')
    .action(
      onQueue<[string?], StatsOptions>(async ({ library }, { args: [transport], options, out }) => {
        const look = (): Promise<Metrics> => library.getMetrics({ minutes: 60, ...(transport && { transport }) })
        const isOff = (name: string): boolean => library.getTransportConfig(name)?.enabled === false
        if (options.watch !== undefined) {
          await watch(async () => show(await look(), isOff, out), options.watch === true ? 2_000 : options.watch, out)
          return EXIT.done
        }
        const metrics = await look()
        show(metrics, isOff, out)
        return exceeded(metrics, options.failOver ?? [], out) ? EXIT.failed : EXIT.done
      }),
    )
}

const LIMITS = 'exit with 1 above a limit: pending, delayed, running, failed, oldest (a duration); several times'

function toLimit(text: string, before: Limit[] = []): Limit[] {
  const [name = '', limit = ''] = text.split('=')
  if (!(name in FIGURES))
    throw new InvalidArgumentError(`Wants one of ${Object.keys(FIGURES).join(', ')}, as pending=1000.`)
  const most = name === 'oldest' ? duration(limit) : Number(limit)
  if (limit === '' || !(most >= 0)) throw new InvalidArgumentError('Wants a number after the equals sign.')
  return [...before, { name: name as Figure, most }]
}

function exceeded(metrics: Metrics, limits: readonly Limit[], out: Output): boolean {
  const over = limits.filter(({ name, most }) => FIGURES[name](metrics) > most)
  for (const { name, most } of over) {
    const [is, limit] = [FIGURES[name](metrics), most].map((value) => (name === 'oldest' ? span(value) : String(value)))
    out.complain(`${name} is ${is}, and the limit is ${limit}`)
  }
  return over.length > 0
}

/** Until Ctrl-C, which is its usual end. */
async function watch(look: () => Promise<void>, pause: number, out: Output): Promise<void> {
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
  const isScreen = process.stdout.isTTY === true && out.json === undefined
  while (!ended.signal.aborted) {
    if (isScreen) process.stdout.write('\x1b[H\x1b[2J')
    await look()
    await sleep(pause, undefined, { signal: ended.signal }).catch(() => undefined)
  }
}

function show(metrics: Metrics, isOff: (transport: string) => boolean, out: Output): void {
  if (out.json !== undefined) {
    out.data(metrics)
    return
  }
  const { queues, failed, schedules, capped } = metrics.queue
  const totals = `${several(failed, 'dead letter')}${capped ? ' or more' : ''} · ${several(schedules, 'schedule')}`
  const rows = queues.map((queue, index) => {
    const isFirst = queues.findIndex(({ transport }) => transport === queue.transport) === index
    const remark = isOff(queue.transport) ? out.paint.red('✗ switched off') : ''
    return [...contents(queue), ...(isFirst ? lastHour(metrics, queue.transport) : ['', '', '']), remark]
  })
  out.print(table(COLUMNS, rows, out.paint))
  out.print()
  out.print(out.paint.dim(totals))
}

const COLUMNS = [
  { title: 'TRANSPORT/QUEUE' },
  { title: 'DUE', right: true },
  { title: 'DELAYED', right: true },
  { title: 'RUNNING', right: true },
  { title: 'OLDEST', right: true },
  { title: 'RUNS 1H', right: true },
  { title: 'P95 1H', right: true },
  { title: 'DEAD 1H', right: true },
  { title: '' },
]

function contents({ transport, queue, pending, delayed, processing, oldestAge, capped }: QueueDepth): string[] {
  const counts = [pending, delayed, processing].map((value) => count(value, capped && value >= 10_000))
  return [`${transport}/${queue}`, ...counts, oldestAge === null ? '–' : span(oldestAge)]
}

/** Counted by transport: it stands in the first row of several. */
function lastHour({ byTransport }: Metrics, transport: string): string[] {
  const { totalProcessed = 0, p95ProcessingTime = 0, totalDeadLettered = 0 } = byTransport[transport] ?? {}
  return [count(totalProcessed), totalProcessed === 0 ? '–' : span(p95ProcessingTime), count(totalDeadLettered)]
}
