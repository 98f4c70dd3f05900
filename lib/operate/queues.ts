/** Inspecting queues, clean-up. */
import type { Core } from '../core/core.js'

/** The contents of one queue. */
export interface QueueDepth {
  /** The transport. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** Due now. */
  pending: number
  /** Waiting for their time. */
  delayed: number
  /** Claimed and not settled. */
  processing: number
  /** Milliseconds that the oldest due message has waited; `null`: none is due. */
  oldestAge: number | null
  /** Whether counting stopped at its cap, so that there is more than the figures say. */
  capped: boolean
}

/** What a clean-up deleted. */
export interface CleanupResult {
  /** Finished messages past `retention.completed`. */
  completed: number
  /** Dead letters past `retention.failed`. */
  failed: number
  /** Idempotency keys past `deduplication.window`. */
  deduplication: number
  /** Finished schedules of `schedule()`, past `retention.completed` and at least a day. */
  schedules: number
  /** Rows of metrics past `retention.metrics`. */
  metrics: number
  /** Executions of the cron routes that are not delivered again any more. */
  executions: number
}

/** The queues of an instance. */
export interface QueueFunctions {
  /** How much is in each queue. Counts are capped, so this is cheap for queues of any length. */
  queueDepth(options?: { transports?: string[] }): Promise<QueueDepth[]>

  /**
   * Deletes what is past its retention.
   *
   * @param options.limit the most rows of each kind.
   */
  cleanup(options?: { limit?: number }): Promise<CleanupResult>
}

/** The functions over a core. */
export function queueFunctions(core: Core): QueueFunctions {
  return {
    async queueDepth(options: { transports?: string[] } = {}): Promise<QueueDepth[]> {
      return depthOf(core, options)
    },
    async cleanup(options: { limit?: number } = {}): Promise<CleanupResult> {
      return core.ask((it) => it.cleanup(JSON.stringify(options)))
    },
  }
}

/** How much is in each queue. */
export function depthOf(core: Core, options: { transports?: string[] } = {}): Promise<QueueDepth[]> {
  return core.ask((it) => it.depth(JSON.stringify(options)))
}
