/** One drain, with the figures that an operator asks for. */

import { shared } from '../../base/process-state.js'
import { type ConsumeResult, Consumption } from '../../consume/consumer.js'
import type { CheckedOptions } from '../../consume/options.js'

/** What a drain did, in the words of the endpoint. */
export interface DrainStats {
  /** Messages whose handlers ran to an end. */
  totalProcessed: number
  /** Those that are done. */
  totalSucceeded: number
  /** Those that failed: to be retried, or dead letters. */
  totalFailed: number
  /** Milliseconds that handlers took a message, on average. */
  averageProcessingTime: number
  /** Due messages left; counting stops at a bound. */
  currentQueueDepth: number
}

/** How the process is that drained. */
export interface DrainHealth {
  /** Whether another drain is at work in it. */
  running: boolean
  /** Handlers that run in it. */
  processing: number
  /** Milliseconds since the process started. */
  uptime: number
  /** Bytes of memory that the process holds. */
  memoryUsage: number
}

/** The result of {@link drain}. */
export interface Drained extends ConsumeResult {
  stats: DrainStats
  health: DrainHealth
}

/** Drains as `consumeBatch()` does. */
export async function drain(options: CheckedOptions): Promise<Drained> {
  const active = shared('drains', () => new Set<Consumption>())
  const consumption = new Consumption('drain', options)
  active.add(consumption)
  const result = await consumption.run().finally(() => active.delete(consumption))
  return { ...result, stats: statsOf(result, consumption), health: healthOf(active) }
}

function statsOf(result: ConsumeResult, consumption: Consumption): DrainStats {
  const { succeeded, discarded, retried, deadLettered, queueDepth } = result
  const { runs, handlerMillis } = consumption.counters()
  return {
    totalProcessed: succeeded + discarded + retried + deadLettered,
    totalSucceeded: succeeded + discarded,
    totalFailed: retried + deadLettered,
    averageProcessingTime: runs === 0 ? 0 : handlerMillis / runs,
    currentQueueDepth: queueDepth,
  }
}

function healthOf(active: Set<Consumption>): DrainHealth {
  return {
    running: active.size > 0,
    processing: [...active].reduce((sum, { runner }) => sum + runner.running, 0),
    uptime: Math.round(process.uptime() * 1_000),
    memoryUsage: process.memoryUsage.rss(),
  }
}
