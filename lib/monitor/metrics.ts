/** The figures: what happened in a period, counted in the database over all processes, and what the queue holds now. */

import { type Check, checked, instant, must, oneOf, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import { contents, type QueueContents } from './contents.js'
import { prometheusText } from './prometheus.js'

/** Figures of some messages. Durations in milliseconds, rates from 0 to 1. */
export interface MetricFigures {
  /** Runs that ended: handled, failed or discarded. A message that is retried twice has three. */
  totalProcessed: number
  /** Messages handled. */
  totalSucceeded: number
  /** Failed runs: those retried and those dead-lettered. */
  totalFailed: number
  /** Failed runs that are retried. */
  totalRetried: number
  /** Messages that became dead letters, including those that kept killing their process. */
  totalDeadLettered: number
  /** Messages that their handler discarded. */
  totalDiscarded: number
  /** Messages postponed by their handler; not counted as processed. */
  totalSnoozed: number
  /** Messages handed back unhandled; not counted as processed. */
  totalReleased: number
  /** Total time in handlers. */
  totalProcessingTime: number
  /** Mean time in handlers. */
  averageProcessingTime: number
  /** Half of the runs were faster. Percentiles are within 2 % of the exact ones. */
  p50ProcessingTime: number
  /** 95 % of the runs were faster. */
  p95ProcessingTime: number
  /** 99 % of the runs were faster. */
  p99ProcessingTime: number
  /** Mean time from when a message was due to when it was claimed. */
  averageWaitingTime: number
  /** Half of the messages had waited less, from due to claimed. */
  p50WaitingTime: number
  /** 95 % of the messages had waited less. */
  p95WaitingTime: number
  /** 99 % of the messages had waited less. */
  p99WaitingTime: number
  /** Fraction that succeeded; 1 if nothing was processed. */
  successRate: number
  /** Fraction that failed. */
  failureRate: number
  /** Fraction that was retried. */
  retryRate: number
}

/** Failed runs of one class of error. */
export interface MetricErrors {
  /** The class, such as `TypeError`. */
  class: string
  /** How many. */
  count: number
  /** When it last happened. */
  lastSeen: Date
  /** The message types that it affected. */
  messageTypes: string[]
}

/** The figures of a period. */
export interface Metrics extends MetricFigures {
  /** Its start: the beginning of a minute. */
  startTime: Date
  /** Its end. */
  endTime: Date
  /**
   * Whether there is more in it than is read at once. Then it begins later than was asked, at `startTime`, and some of
   * what was counted at its very beginning is missing.
   */
  capped: boolean
  /** By message type. */
  byMessageType: Record<string, MetricFigures>
  /** By transport. */
  byTransport: Record<string, MetricFigures>
  /** By queue, whatever its transport. Those whose queue was not noted are under an empty name. */
  byQueue: Record<string, MetricFigures>
  /** Failed runs by the class of their error, most frequent first. */
  errors: MetricErrors[]
  /** What the queue holds now, whatever the period. */
  queue: QueueContents
}

/** Which period: the last `minutes`, or from `startTime` to `endTime`; of which transport. */
export interface MetricsOptions {
  /** How far to look back. Default 60. */
  minutes?: number
  /** From this instant, instead of `minutes`. Rounded down to the minute. */
  startTime?: Date | number | string
  /** Up to this instant; now by default. */
  endTime?: Date | number | string
  /** Only this transport; by default all. */
  transport?: string
}

/** The figures of an instance. */
export interface MetricFunctions {
  /**
   * Counters, histograms and gauges as Prometheus scrapes them, in seconds. They are those of the whole queue, over all
   * processes and invocations, and not of this process: the counters are kept in the database, and never fall. Those of
   * transports of type `memory` begin with the process.
   *
   * Scrape one target, whichever process answers there: what several report is the same, and must not be added up.
   *
   * @throws ConfigurationError for any other option beside `format`; TransportError if the database cannot be queried.
   *
   * @example
   * const figures = await getMetrics({ format: 'prometheus' })
   * return new Response(figures, { headers: { 'content-type': 'text/plain; version=0.0.4' } })
   */
  getMetrics(options: { format: 'prometheus' }): Promise<string>

  /**
   * What happened in a period, over all workers and invocations, up to 90 days ago, and in `queue` what the queue holds
   * now. It is exact to the minute up to `retention.metrics` (7 days) ago, and to the hour before that.
   *
   * @throws ConfigurationError naming the invalid option; TransportError if the database cannot be queried.
   *
   * @example
   * const { successRate, p95ProcessingTime, errors, queue } = await getMetrics({ minutes: 60 })
   */
  getMetrics(options?: MetricsOptions): Promise<Metrics>
}

/** The functions over a core. */
export function metricFunctions(core: Core): MetricFunctions {
  function getMetrics(options: { format: 'prometheus' }): Promise<string>
  function getMetrics(options?: MetricsOptions): Promise<Metrics>
  async function getMetrics(options: MetricsOptions & { format?: 'prometheus' } = {}): Promise<Metrics | string> {
    const { format, ...others } = checked(options, OPTIONS)
    if (format === undefined) return figures(core, others)
    for (const [name, value] of Object.entries(others)) {
      must(false, name, value, 'nothing beside format: Prometheus counts for itself', value)
    }
    return prometheusText(core)
  }
  return { getMetrics }
}

const OPTIONS: Record<keyof MetricsOptions | 'format', Check> = {
  minutes: (value, key) =>
    must(Number.isFinite(value) && (value as number) > 0, key, value, 'a number of minutes above 0', value),
  startTime: instant,
  endTime: instant,
  transport: words,
  format: oneOf('prometheus'),
}

async function figures(core: Core, { transport, ...window }: CheckedOptions): Promise<Metrics> {
  const [counted, queue] = await Promise.all([
    core.ask<NativeMetrics>((it) => it.metrics(JSON.stringify(window), transport)),
    contents(core, transport),
  ])
  return { ...toMetrics(counted), queue }
}

type CheckedOptions = { transport?: string }

type NativeMetrics = Omit<Metrics, 'startTime' | 'endTime' | 'errors' | 'queue'> & {
  startTime: number
  endTime: number
  errors: Array<Omit<MetricErrors, 'lastSeen'> & { lastSeen: number }>
}

/** The core's figures, with dates. */
function toMetrics(native: NativeMetrics): Omit<Metrics, 'queue'> {
  return {
    ...native,
    startTime: new Date(native.startTime),
    endTime: new Date(native.endTime),
    errors: native.errors.map((error) => ({ ...error, lastSeen: new Date(error.lastSeen) })),
  }
}
