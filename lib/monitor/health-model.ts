/** What a look at the health of the queue sees and says. */
import type { MetricFigures } from './metrics.js'

/** `degraded`: it works, but somebody should look; `unhealthy`: it does not do its work. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** One thing looked at. */
export interface HealthCheck {
  /**
   * What was looked at: `database`, `migrations`, `queueDepth`, `oldestAge`, `errorRate`, `deadLetters`,
   * `staleWorkers`, `heldMessages`, `overdueSchedules`, `unhandledTypes` or `circuitBreakers`.
   */
  name: string
  /** How it is. */
  status: HealthStatus
  /** What was seen, in words, and what to do where something is to be done. */
  message: string
  /** The figure that was looked at, where it is one: milliseconds, counts, shares from 0 to 1. */
  value?: number
}

/** How the queue is. */
export interface Health {
  /** The worst of the checks. */
  status: HealthStatus
  /** Everything looked at. What could not be asked is left out; then `database` says why. */
  checks: HealthCheck[]
  /** When this was looked at, by the clock of this process. */
  timestamp: Date
  /** Milliseconds since this process began. */
  uptime: number
  /** Figures of `health.window`. */
  metrics: {
    /** Due messages, all queues together, counted up to a bound. */
    queueDepth: number
    /** Messages processed a minute. */
    processingRate: number
    /** Failed of processed, 0 to 1. */
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

/** The facts as the core gathers them; `null`: could not be asked. */
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
