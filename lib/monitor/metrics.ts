/** What happened in a period: counts, rates, durations. Counted in the database, over all processes. */

import { INSTANT_FORM, parseInstant } from '../base/instant.js'
import { must } from '../base/options.js'
import type { Core } from '../core/core.js'

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
  /** By message type. */
  byMessageType: Record<string, MetricFigures>
  /** By transport. */
  byTransport: Record<string, MetricFigures>
  /** Failed runs by the class of their error, most frequent first. */
  errors: MetricErrors[]
}

/** Which period: the last `minutes`, or from `startTime` to `endTime`. */
export interface MetricsOptions {
  /** How far to look back. Default 60. */
  minutes?: number
  /** From this instant, instead of `minutes`. Rounded down to the minute. */
  startTime?: Date | number | string
  /** Up to this instant; now by default. */
  endTime?: Date | number | string
}

/** The figures of an instance. */
export interface MetricFunctions {
  /**
   * What happened in a period, over all workers and invocations, up to `retention.metrics` (7 days) ago.
   *
   * @throws ConfigurationError naming the invalid option; TransportError if the database cannot be queried.
   *
   * @example
   * const { successRate, p95ProcessingTime, errors } = await getMetrics({ minutes: 60 })
   */
  getMetrics(options?: MetricsOptions): Promise<Metrics>
}

/** The functions over a core. */
export function metricFunctions(core: Core): MetricFunctions {
  return {
    async getMetrics(options: MetricsOptions = {}): Promise<Metrics> {
      const { minutes, startTime, endTime } = options
      const isSpan = minutes === undefined || (Number.isFinite(minutes) && minutes > 0)
      must(isSpan, 'minutes', minutes, 'a number of minutes above 0', minutes)
      const window = { minutes, startTime: millis('startTime', startTime), endTime: millis('endTime', endTime) }
      return toMetrics(await core.ask((it) => it.metrics(JSON.stringify(window))))
    },
  }
}

function millis(name: string, value: Date | number | string | undefined): number | undefined {
  if (value === undefined) return undefined
  const time = parseInstant(value)
  return must(time !== undefined, name, value, INSTANT_FORM, time)
}

type NativeMetrics = Omit<Metrics, 'startTime' | 'endTime' | 'errors'> & {
  startTime: number
  endTime: number
  errors: Array<Omit<MetricErrors, 'lastSeen'> & { lastSeen: number }>
}

/** The core's figures, with dates. */
export function toMetrics(native: NativeMetrics): Metrics {
  return {
    ...native,
    startTime: new Date(native.startTime),
    endTime: new Date(native.endTime),
    errors: native.errors.map((error) => ({ ...error, lastSeen: new Date(error.lastSeen) })),
  }
}
