/** The figures in the text exposition format of Prometheus. */

import type { QueueDepth, QueueFunctions } from '../operate/queues.js'
import type { MetricFigures, MetricFunctions, Metrics, MetricsOptions } from './metrics.js'

/** The figures of an instance for Prometheus. */
export interface PrometheusFunctions {
  /**
   * Metrics and depth as Prometheus scrapes them. All are gauges over the requested window, not counters: they come from
   * the database and are the same for every process. Durations in seconds.
   *
   * @throws as `getMetrics()`.
   *
   * @example
   * return new Response(await prometheusMetrics(), { headers: { 'content-type': 'text/plain; version=0.0.4' } })
   */
  prometheusMetrics(options?: MetricsOptions): Promise<string>
}

/** The functions over the figures. */
export function prometheusFunctions({
  getMetrics,
  queueDepth,
}: Pick<MetricFunctions & QueueFunctions, 'getMetrics' | 'queueDepth'>): PrometheusFunctions {
  return {
    async prometheusMetrics(options: MetricsOptions = {}): Promise<string> {
      const [metrics, depths] = await Promise.all([getMetrics(options), queueDepth()])
      return [...outcomes(metrics), ...durations(metrics), ...errors(metrics), ...depth(depths), ''].join('\n')
    },
  }
}

const OUTCOMES: Array<[outcome: string, figure: keyof MetricFigures]> = [
  ['succeeded', 'totalSucceeded'],
  ['retried', 'totalRetried'],
  ['dead_lettered', 'totalDeadLettered'],
  ['discarded', 'totalDiscarded'],
  ['snoozed', 'totalSnoozed'],
  ['released', 'totalReleased'],
]

function outcomes({ byMessageType }: Metrics): string[] {
  const head = family('symphony_messages', 'gauge', 'Runs that ended in the window, by message type and outcome.')
  const lines = Object.entries(byMessageType).flatMap(([type, figures]) =>
    OUTCOMES.map(([outcome, key]) => sample('symphony_messages', { message_type: type, outcome }, figures[key])),
  )
  return [...head, ...lines]
}

function durations({ byMessageType }: Metrics): string[] {
  const name = 'symphony_processing_seconds'
  const lines = Object.entries(byMessageType).flatMap(([type, figures]) => [
    sample(name, { message_type: type, quantile: '0.5' }, figures.p50ProcessingTime / 1_000),
    sample(name, { message_type: type, quantile: '0.95' }, figures.p95ProcessingTime / 1_000),
    sample(name, { message_type: type, quantile: '0.99' }, figures.p99ProcessingTime / 1_000),
    sample(`${name}_sum`, { message_type: type }, figures.totalProcessingTime / 1_000),
    sample(`${name}_count`, { message_type: type }, figures.totalProcessed + figures.totalSnoozed),
  ])
  return [...family(name, 'summary', 'Time in handlers in the window, by message type.'), ...lines]
}

function errors(metrics: Metrics): string[] {
  const name = 'symphony_errors'
  const lines = metrics.errors.map((error) => sample(name, { class: error.class }, error.count))
  return [...family(name, 'gauge', 'Failed runs in the window, by class of error.'), ...lines]
}

const STATES = ['pending', 'delayed', 'processing'] as const

function depth(depths: QueueDepth[]): string[] {
  const counts = depths.flatMap(({ transport, queue, ...counts }) =>
    STATES.map((state) => sample('symphony_queue_depth', { transport, queue, state }, counts[state])),
  )
  const ages = depths.map(({ transport, queue, oldestAge }) =>
    sample('symphony_oldest_message_seconds', { transport, queue }, (oldestAge ?? 0) / 1_000),
  )
  return [
    ...family('symphony_queue_depth', 'gauge', 'Messages that wait or run now, counted up to a bound.'),
    ...counts,
    ...family('symphony_oldest_message_seconds', 'gauge', 'How long the oldest due message has waited.'),
    ...ages,
  ]
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function sample(name: string, labels: Record<string, string>, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `${name}{${pairs.join()}} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
