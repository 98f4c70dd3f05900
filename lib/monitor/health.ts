/** Whether the queue does its work: the quick checks, for a probe. */
import { mustBeKnown } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { AnyRegistry, HandlerRegistry } from '../handlers/registry.js'
import type { Finding, Severity } from './finding.js'

/** The health of the queue. */
export interface Health {
  /** The worst of the findings. */
  status: Severity
  /** The quick checks. Those that could not be made are left out; then `database` says why. */
  findings: Finding[]
  /** When this was checked, by the clock of this process. */
  timestamp: Date
  /** Milliseconds since this process started. */
  uptime: number
  /** Figures of `health.window`. */
  metrics: {
    /** Due messages, all queues together, counted up to a cap. */
    queueDepth: number
    /** Messages processed per minute. */
    processingRate: number
    /** Fraction of runs that failed, 0 to 1. */
    errorRate: number
    /** Mean time in handlers, in milliseconds. */
    averageLatency: number
  }
}

/** The health of an instance. */
export interface HealthFunctions {
  /**
   * The health of the queue: database, migrations, depth, age of the oldest message, errors, dead letters, workers that
   * died, schedules that nothing runs, messages without a handler, circuit breakers. Takes 5 s at most, and no finding
   * makes it reject.
   *
   * The thresholds are in the configuration, under `health`.
   *
   * @param options.registry whose handlers count; by default those of the instance. `null`: handlers live elsewhere, so
   * messages without one are not checked.
   *
   * @example
   * const { status, findings } = await getHealth()
   */
  getHealth(options?: { registry?: AnyRegistry | null }): Promise<Health>
}

/** The functions over a core. */
export function healthFunctions(core: Core, registry: HandlerRegistry): HealthFunctions {
  return {
    async getHealth(options: { registry?: AnyRegistry | null } = {}): Promise<Health> {
      mustBeKnown(options, ['registry'])
      const asked = options.registry === undefined ? registry : options.registry
      // A process that only dispatches has no handlers, and must not report every message as unhandled.
      const types = asked !== null && asked.types().length > 0 ? asked.claimable() : null
      const health = await core.ask<Omit<Health, 'timestamp' | 'uptime'>>((it) => it.health(JSON.stringify({ types })))
      return { ...health, timestamp: new Date(), uptime: Math.round(process.uptime() * 1_000) }
    },
  }
}
