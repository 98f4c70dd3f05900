/** What was ever counted and what waits now, in the text exposition format of Prometheus. */

import type { Core } from '../core/core.js'
import { depths, type QueueDepth } from './contents.js'
import { type Family, type Sample, textOf } from './exposition.js'

/** The figures as Prometheus scrapes them. */
export async function prometheusText(core: Core): Promise<string> {
  const [totals, waits] = await Promise.all([core.ask<Totals>((it) => it.everCounted()), depths(core)])
  return textOf([...counted(totals), ...waiting(waits)])
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
