/** `symphony metrics`: what happened in a period. */
import { type Command, Option } from 'commander'
import type { MetricFigures, Metrics } from '../../admin.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { count, distance, percent, span } from '../format.js'
import type { Output } from '../output.js'
import { table } from '../table.js'
import { past } from '../values.js'

type By = 'type' | 'queue' | 'transport'

interface MetricsOptions {
  since: number
  until?: number
  by: By
  transport?: string
  prometheus?: boolean
}

/** Adds the command. */
export function addMetrics(program: Command): void {
  program
    .command('metrics')
    .summary('what happened in a period, by type, queue or transport')
    .description('What happened in a period, over all processes, up to 90 days ago.')
    .addOption(
      new Option('--since <when>', 'from then on: 24h, a day, an instant').argParser(past).default(past('1h'), '1h'),
    )
    .option('--until <when>', 'up to then; now by default', past)
    .addOption(new Option('--by <what>', 'a row for each').choices(['type', 'queue', 'transport']).default('type'))
    .option('--transport <name>', 'only this transport')
    .option('--prometheus', 'everything ever counted, as Prometheus scrapes it')
    .action(
      onQueue<[], MetricsOptions>(async ({ library }, { options, out }) => {
        const { since: startTime, until: endTime, transport, prometheus, by } = options
        if (prometheus) {
          if (transport !== undefined || out.json !== undefined) throw new Exit(EXIT.usage, ALONE)
          return out.print((await library.getMetrics({ format: 'prometheus' })).trimEnd())
        }
        const metrics = await library.getMetrics({
          startTime,
          ...(endTime !== undefined && { endTime }),
          ...(transport !== undefined && { transport }),
        })
        if (out.json !== undefined) out.data(metrics)
        else show(metrics, by, out)
      }),
    )
}

const ALONE = '--prometheus stands alone: Prometheus selects and counts for itself'

const COLUMNS = ['RUNS', 'OK', 'RETRIED', 'DEAD', 'FAILED', 'P50', 'P95', 'P99', 'WAITED'].map((title) => ({
  title,
  right: true,
}))

const GROUPS = { type: 'byMessageType', queue: 'byQueue', transport: 'byTransport' } as const

function show(metrics: Metrics, by: By, out: Output): void {
  const groups = Object.entries(metrics[GROUPS[by]])
  const busiest = groups.sort(([, left], [, right]) => right.totalProcessed - left.totalProcessed)
  const rows = busiest.map(([name, figures]) => [name, ...cells(figures)])
  const all = ['all', ...cells(metrics)].map((cell) => out.paint.bold(cell))
  out.print(table([{ title: by.toUpperCase() }, ...COLUMNS], [...rows, all], out.paint))
  if (metrics.errors.length === 0) return
  const errors = metrics.errors.map(({ class: name, count: times, lastSeen, messageTypes }) => [
    out.paint.red(name),
    count(times),
    distance(lastSeen, Date.now()),
    messageTypes.join(', '),
  ])
  out.print()
  out.print(
    table(
      [{ title: 'ERROR' }, { title: 'RUNS', right: true }, { title: 'LAST' }, { title: 'TYPES' }],
      errors,
      out.paint,
    ),
  )
}

function cells(figures: MetricFigures): string[] {
  const { totalProcessed, totalSucceeded, totalRetried, totalDeadLettered, failureRate } = figures
  const { p50ProcessingTime, p95ProcessingTime, p99ProcessingTime, averageWaitingTime } = figures
  const times = [p50ProcessingTime, p95ProcessingTime, p99ProcessingTime, averageWaitingTime]
  return [
    ...[totalProcessed, totalSucceeded, totalRetried, totalDeadLettered].map((value) => count(value)),
    failureRate === 0 ? '–' : percent(failureRate),
    ...times.map((time) => (totalProcessed === 0 ? '–' : span(time))),
  ]
}
