/** One drain, with the figures for operators. */

import { type ConsumeResult, Consumer, type ConsumerParts } from '../../consume/consumer.js'
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

/** The result of {@link drainWithFigures}. */
export interface Drained extends ConsumeResult {
  stats: DrainStats
  health: DrainHealth
}

/** The drains that are at work, by the parts of their instance. */
const drains = new WeakMap<ConsumerParts, Set<Consumer>>()

/** Drains as `consumeBatch()` does. */
export async function drainWithFigures(parts: ConsumerParts, options: CheckedOptions): Promise<Drained> {
  const active = drains.get(parts) ?? new Set()
  drains.set(parts, active)
  const consumer = new Consumer(parts, 'drain', options)
  active.add(consumer)
  const result = await consumer.run().finally(() => active.delete(consumer))
  return { ...result, stats: statsOf(result, consumer), health: healthOf(active) }
}

function statsOf(result: ConsumeResult, consumer: Consumer): DrainStats {
  const { succeeded, discarded, retried, deadLettered, queueDepth } = result
  const { runs, handlerMillis } = consumer.counters()
  return {
    totalProcessed: succeeded + discarded + retried + deadLettered,
    totalSucceeded: succeeded + discarded,
    totalFailed: retried + deadLettered,
    averageProcessingTime: runs === 0 ? 0 : handlerMillis / runs,
    currentQueueDepth: queueDepth,
  }
}

function healthOf(active: Set<Consumer>): DrainHealth {
  return {
    running: active.size > 0,
    processing: [...active].reduce((sum, { runner }) => sum + runner.running, 0),
    uptime: Math.round(process.uptime() * 1_000),
    memoryUsage: process.memoryUsage.rss(),
  }
}
