/** What was ever counted and what waits now, in the text exposition format of Prometheus. */

import type { Core } from '../core/core.js'
import type { QueueDepth, QueueFunctions } from '../operate/queues.js'
import { type Family, type Sample, textOf } from './exposition.js'

/** The figures of an instance for Prometheus. */
export interface PrometheusFunctions {
  /**
   * Counters, histograms and gauges as Prometheus scrapes them, in seconds. They are those of the whole queue, over all
   * processes and invocations, and not of this process: the counters are kept in the database, and never fall. Those of
   * transports of type `memory` begin with the process.
   *
   * Scrape one target, whichever process answers there: what several report is the same, and must not be added up.
   *
   * @throws TransportError if the database cannot be queried.
   *
   * @example
   * return new Response(await prometheusMetrics(), { headers: { 'content-type': 'text/plain; version=0.0.4' } })
   */
  prometheusMetrics(): Promise<string>
}

/** The functions over a core. */
export function prometheusFunctions(
  core: Core,
  { queueDepth }: Pick<QueueFunctions, 'queueDepth'>,
): PrometheusFunctions {
  return {
    async prometheusMetrics(): Promise<string> {
      const [totals, depths] = await Promise.all([core.ask<Totals>((it) => it.everCounted()), queueDepth()])
      return textOf([...counted(totals), ...waiting(depths)])
    },
  }
}

/** What the core has counted. */
interface Totals {
  /** The upper ends of the buckets, in seconds. */
  bounds: number[]
  series: Series[]
}

interface Series {
  transport: string
  messageType: string
  outcomes: Record<string, number>
  runs: number
  /** How many runs took at most each of the bounds. */
  buckets: number[]
  processingSeconds: number
  waitingSeconds: number
}

function counted({ bounds, series }: Totals): Family[] {
  return [
    {
      name: 'symphony_messages_settled_total',
      type: 'counter',
      help: 'How often messages were settled, by outcome. One that was retried twice was settled three times.',
      samples: series.flatMap((it) =>
        Object.entries(it.outcomes).map(([outcome, value]) => ({ labels: { ...labels(it), outcome }, value })),
      ),
    },
    {
      name: 'symphony_processing_duration_seconds',
      type: 'histogram',
      help: 'Time in handlers.',
      samples: series.flatMap((it) => histogram(it, bounds)),
    },
    {
      name: 'symphony_waiting_seconds_total',
      type: 'counter',
      help: 'Time from when messages were due to when they were claimed, summed over the runs of the histogram.',
      samples: series.map((it) => ({ labels: labels(it), value: it.waitingSeconds })),
    },
  ]
}

function labels({ transport, messageType }: Series): Record<string, string> {
  return { transport, message_type: messageType }
}

function histogram(series: Series, bounds: number[]): Sample[] {
  const own = labels(series)
  const bucket = (le: string, value: number): Sample => ({ suffix: '_bucket', labels: { ...own, le }, value })
  return [
    ...series.buckets.map((count, index) => bucket(String(bounds[index]), count)),
    bucket('+Inf', series.runs),
    { suffix: '_sum', labels: own, value: series.processingSeconds },
    { suffix: '_count', labels: own, value: series.runs },
  ]
}

const STATES = ['pending', 'delayed', 'processing'] as const

function waiting(depths: QueueDepth[]): Family[] {
  return [
    {
      name: 'symphony_queue_depth',
      type: 'gauge',
      help: 'Messages that are due, that wait for their time, and that run, counted up to 10,000 per priority.',
      samples: depths.flatMap(({ transport, queue, ...counts }) =>
        STATES.map((state) => ({ labels: { transport, queue, state }, value: counts[state] })),
      ),
    },
    {
      name: 'symphony_oldest_message_age_seconds',
      type: 'gauge',
      help: 'How long the oldest due message has waited; 0 if none is due.',
      samples: depths.map(({ transport, queue, oldestAge }) => ({
        labels: { transport, queue },
        value: (oldestAge ?? 0) / 1_000,
      })),
    },
  ]
}
