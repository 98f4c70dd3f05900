/** What a health check sees and reports. */
import type { MetricFigures } from './metrics.js'

/** `degraded`: it works, but someone should look; `unhealthy`: it does not do its work. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** One check. */
export interface HealthCheck {
  /**
   * What was checked: `database`, `migrations`, `queueDepth`, `oldestAge`, `errorRate`, `deadLetters`,
   * `staleWorkers`, `heldMessages`, `overdueSchedules`, `unhandledTypes` or `circuitBreakers`.
   */
  name: string
  /** Its status. */
  status: HealthStatus
  /** What was seen, and what to do, if anything. */
  message: string
  /** The figure that was checked, if there is one: milliseconds, counts, fractions from 0 to 1. */
  value?: number
}

/** The health of the queue. */
export interface Health {
  /** The worst of the checks. */
  status: HealthStatus
  /** All checks. Those that could not be made are left out; then `database` says why. */
  checks: HealthCheck[]
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

/** A circuit breaker that is not closed. */
export interface OpenCircuit {
  messageType: string
  state: 'open' | 'halfOpen'
  runs: number
  failures: number
  reason: string | null
  openedAt: number
  probeAt: number
}

/** The facts as the core gathers them; `null`: not available. */
export interface Facts {
  database: boolean
  latency: number | null
  migrations: { version: number; latest: number; pending: unknown[] } | null
  vitals: {
    deadLetters: number
    recentDeadLetters: number
    workers: number
    staleWorkers: number
    heldByNobody: number
    unknownToWorkers: number
    overdueSchedules: number
    circuits: OpenCircuit[]
  } | null
  queueDepth: number | null
  oldestAge: number | null
  unhandled: Array<{ type: string; transport: string; queue: string; count: number }>
  metrics: MetricFigures | null
  error: { code: string; message: string } | null
}
