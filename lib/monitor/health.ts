/** Whether the queue does its work, for load balancers and for people. */
import type { Configuration } from '../config/configuration.js'
import type { Core } from '../core/core.js'
import type { HandlerRegistry } from '../handlers/registry.js'
import { judge } from './health-checks.js'
import type { Facts, Health } from './health-model.js'

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
   * const { status, checks } = await getHealth()
   */
  getHealth(options?: { registry?: HandlerRegistry | null }): Promise<Health>
}

/** What health is judged by. */
export interface HealthParts {
  readonly core: Core
  readonly configuration: Configuration
  readonly registry: HandlerRegistry
}

/** The functions over the parts. */
export function healthFunctions({ core, configuration, registry }: HealthParts): HealthFunctions {
  return {
    async getHealth(options: { registry?: HandlerRegistry | null } = {}): Promise<Health> {
      const facts = await ask(core, options.registry === undefined ? registry : options.registry)
      const checks = judge(facts, configuration.peek().health)
      const figures = facts.metrics
      const minutes = configuration.peek().health.window / 60_000
      return {
        status: worst(checks),
        checks,
        timestamp: new Date(),
        uptime: Math.round(process.uptime() * 1_000),
        metrics: {
          queueDepth: facts.queueDepth ?? 0,
          processingRate: figures === null ? 0 : figures.totalProcessed / minutes,
          errorRate: figures?.failureRate ?? 0,
          averageLatency: figures?.averageProcessingTime ?? 0,
        },
      }
    },
  }
}

async function ask(core: Core, registry: HandlerRegistry | null): Promise<Facts> {
  // A process that only dispatches has no handlers, and must not report every message as unhandled.
  const known = registry !== null && registry.types().length > 0
  const types = known ? registry.claimable() : null
  return core.ask((it) => it.vitals(JSON.stringify({ types })))
}

function worst(checks: Health['checks']): Health['status'] {
  if (checks.some(({ status }) => status === 'unhealthy')) return 'unhealthy'
  return checks.some(({ status }) => status === 'degraded') ? 'degraded' : 'healthy'
}
