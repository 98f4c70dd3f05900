/** Deleting what is past its retention. */
import { checked, whole } from '../base/options.js'
import type { Core } from '../core/core.js'

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
  /** Entries of the audit past `retention.audit`. */
  audit: number
}

/** The clean-up of an instance. */
export interface CleanupFunctions {
  /**
   * Deletes what is past its retention.
   *
   * @param options.limit the most rows of each kind.
   * @throws ConfigurationError naming the invalid option.
   */
  cleanup(options?: { limit?: number }): Promise<CleanupResult>
}

/** The functions over a core. */
export function cleanupFunctions(core: Core): CleanupFunctions {
  return {
    async cleanup(options: { limit?: number } = {}): Promise<CleanupResult> {
      const limits = JSON.stringify(checked(options, { limit: whole(1, 2 ** 31 - 1) }))
      return core.ask((it) => it.cleanup(limits))
    },
  }
}
