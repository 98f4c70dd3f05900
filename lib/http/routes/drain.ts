/** One drain, with the figures for operators. */

import { shared } from '../../base/process-state.js'
import { type ConsumeResult, Consumption } from '../../consume/consumer.js'
import type { CheckedOptions } from '../../consume/options.js'

/** What a drain did, as the endpoint reports it. */
export interface DrainStats {
  /** Messages whose handlers ended. */
  totalProcessed: number
  /** Those that succeeded. */
  totalSucceeded: number
  /** Those that failed: to be retried, or dead letters. */
  totalFailed: number
  /** Mean milliseconds in handlers per message. */
  averageProcessingTime: number
  /** Due messages left; counting stops at a cap. */
  currentQueueDepth: number
}

/** The state of the draining process. */
export interface DrainHealth {
  /** Whether another drain is running in it. */
  running: boolean
  /** Handlers running in it. */
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
