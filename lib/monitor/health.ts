/** Whether the queue does its work, for load balancers and for people. */
import { peekConfig } from '../config/effective.js'
import { getCore } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'
import { getRegistry, type HandlerRegistry } from '../handlers/registry.js'
import { judge } from './health-checks.js'
import type { Facts, Health } from './health-model.js'

/**
 * The health of the queue: database, migrations, depth, age of the oldest message, errors, dead letters, workers that
 * died, schedules that nothing runs, messages without a handler, circuit breakers. Takes 5 s at most, and no finding
 * makes it reject.
 *
 * The thresholds are in the configuration, under `health`.
 *
 * @param options.registry whose handlers count; by default those of the process. `null`: handlers live elsewhere, so
 * messages without one are not checked.
 *
 * @example
 * const { status, checks } = await getHealth()
 */
export async function getHealth(options: { registry?: HandlerRegistry | null } = {}): Promise<Health> {
  const facts = await ask(options.registry === undefined ? getRegistry() : options.registry)
  const checks = judge(facts, peekConfig().health)
  const figures = facts.metrics
  const minutes = peekConfig().health.window / 60_000
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
}

async function ask(registry: HandlerRegistry | null): Promise<Facts> {
  // A process that only dispatches has no handlers, and must not report every message as unhandled.
  const known = registry !== null && registry.types().length > 0
  const types = known ? registry.claimable() : null
  return JSON.parse(await awaitNative(async () => getCore().vitals(JSON.stringify({ types })))) as Facts
}

function worst(checks: Health['checks']): Health['status'] {
  if (checks.some(({ status }) => status === 'unhealthy')) return 'unhealthy'
  return checks.some(({ status }) => status === 'degraded') ? 'degraded' : 'healthy'
}
