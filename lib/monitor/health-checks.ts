/** From facts to checks. Pure. */
import type { EffectiveConfig } from '../config/model.js'
import type { Facts, HealthCheck, HealthStatus, OpenCircuit } from './health-model.js'

type Thresholds = EffectiveConfig['health']

/** The checks, in the order in which a person would look. */
export function judge(facts: Facts, thresholds: Thresholds): HealthCheck[] {
  return [
    database(facts),
    migrations(facts),
    queueDepth(facts, thresholds),
    oldestAge(facts, thresholds),
    errorRate(facts, thresholds),
    deadLetters(facts, thresholds),
    staleWorkers(facts),
    heldMessages(facts),
    overdueSchedules(facts),
    unhandledTypes(facts),
    circuitBreakers(facts),
  ].filter((check) => check !== undefined)
}

function database({ database: configured, latency, error }: Facts): HealthCheck | undefined {
  if (error !== null) return { name: 'database', status: 'unhealthy', message: `${error.message} (${error.code})` }
  if (!configured) return undefined
  const value = Math.round((latency ?? 0) * 1_000) / 1_000
  return { name: 'database', status: 'healthy', message: `answered in ${value} ms`, value }
}

function migrations({ migrations: status }: Facts): HealthCheck | undefined {
  if (status === null) return undefined
  const { version, latest, pending } = status
  const where = `the schema is at version ${version} of ${latest}`
  if (pending.length > 0) {
    return { name: 'migrations', status: 'unhealthy', message: `${where}: run \`await migrate()\``, value: version }
  }
  return { name: 'migrations', status: 'healthy', message: where, value: version }
}

function queueDepth({ queueDepth: value }: Facts, thresholds: Thresholds): HealthCheck | undefined {
  if (value === null) return undefined
  const status = compare(value, thresholds.degraded.queueDepth, thresholds.unhealthy.queueDepth)
  return { name: 'queueDepth', status, message: `${value} messages are due`, value }
}

function oldestAge({ oldestAge: age, queueDepth: depth }: Facts, thresholds: Thresholds): HealthCheck | undefined {
  if (depth === null) return undefined
  if (age === null) return { name: 'oldestAge', status: 'healthy', message: 'nothing waits', value: 0 }
  const status = compare(age, thresholds.degraded.oldestAge, thresholds.unhealthy.oldestAge)
  const waited = `the oldest due message has waited ${seconds(age)}`
  const message = status === 'healthy' ? waited : `${waited}: consume more often, or with more concurrency`
  return { name: 'oldestAge', status, message, value: age }
}

function errorRate({ metrics }: Facts, thresholds: Thresholds): HealthCheck | undefined {
  if (metrics === null) return undefined
  const { totalProcessed, totalFailed, failureRate: value } = metrics
  const enough = totalProcessed >= thresholds.minimumVolume
  const { degraded, unhealthy } = thresholds
  const status = enough && totalFailed > 0 ? compare(value, degraded.errorRate, unhealthy.errorRate) : 'healthy'
  const message = `${totalFailed} of ${totalProcessed} runs failed in the last ${seconds(thresholds.window)}`
  return { name: 'errorRate', status, message, value }
}

function deadLetters({ vitals }: Facts, thresholds: Thresholds): HealthCheck | undefined {
  if (vitals === null) return undefined
  const { recentDeadLetters: value, deadLetters: all } = vitals
  const status = compare(value, thresholds.degraded.deadLetters, thresholds.unhealthy.deadLetters)
  const message = `${value} messages became dead letters in the last hour, ${all} are kept`
  return { name: 'deadLetters', status, message, value }
}

function staleWorkers({ vitals }: Facts): HealthCheck | undefined {
  if (vitals === null) return undefined
  const { staleWorkers: value, workers } = vitals
  if (value === 0) {
    return {
      name: 'staleWorkers',
      status: 'healthy',
      message: `${workers} workers are at work, none is overdue`,
      value,
    }
  }
  const message = `${value} workers died and nobody has taken their messages: call consumeBatch(), or start a Worker`
  return { name: 'staleWorkers', status: 'degraded', message, value }
}

function heldMessages({ vitals }: Facts): HealthCheck | undefined {
  if (vitals === null) return undefined
  const name = 'heldMessages'
  const { heldByNobody, unknownToWorkers } = vitals
  const value = heldByNobody + unknownToWorkers
  if (value === 0) return { name, status: 'healthy', message: 'every claimed message is held by a worker', value }
  const message = [
    heldByNobody > 0 && `${heldByNobody} messages are held by nobody: call consumeBatch(), or start a Worker`,
    unknownToWorkers > 0 && `${unknownToWorkers} messages are held by workers that do not know of them: restart these`,
  ]
  return { name, status: 'degraded', message: message.filter(Boolean).join('; '), value }
}

function overdueSchedules({ vitals }: Facts): HealthCheck | undefined {
  if (vitals === null) return undefined
  const name = 'overdueSchedules'
  const { overdueSchedules: value } = vitals
  if (value === 0) return { name, status: 'healthy', message: 'no schedule is overdue', value }
  const message = `${value} schedules have been due for more than 5 min: call runDueSchedules(), or start a Scheduler`
  return { name, status: 'degraded', message, value }
}

function unhandledTypes({ unhandled, vitals }: Facts): HealthCheck | undefined {
  if (vitals === null) return undefined
  const name = 'unhandledTypes'
  const value = unhandled.reduce((sum, { count }) => sum + count, 0)
  if (value === 0) return { name, status: 'healthy', message: 'every message that waits has a handler', value }
  const told = unhandled.map(({ type, count }) => `${count} messages of type ${type} wait, no handler here`)
  return { name, status: 'degraded', message: told.join('; '), value }
}

function circuitBreakers({ vitals }: Facts): HealthCheck | undefined {
  if (vitals === null) return undefined
  const name = 'circuitBreakers'
  const { circuits } = vitals
  if (circuits.length === 0) return { name, status: 'healthy', message: 'no type is paused', value: 0 }
  return { name, status: 'degraded', message: circuits.map(tell).join('; '), value: circuits.length }
}

function tell({ messageType, state, failures, runs, reason, probeAt }: OpenCircuit): string {
  const cause = reason === null ? '' : ` (${reason})`
  const next = state === 'open' ? `next try at ${new Date(probeAt).toISOString()}` : 'one message is being tried'
  return `${messageType} is paused: ${failures} of ${runs} runs failed${cause}; ${next}`
}

function compare(value: number, degraded: number, unhealthy: number): HealthStatus {
  if (value >= unhealthy) return 'unhealthy'
  return value >= degraded ? 'degraded' : 'healthy'
}

function seconds(milliseconds: number): string {
  return milliseconds < 120_000 ? `${Math.round(milliseconds / 1_000)} s` : `${Math.round(milliseconds / 60_000)} min`
}
