/** The configuration: what an application writes, and what is in force. */
import type { Duration } from '../base/duration.js'

/** Where messages can wait. `supabase` is another name for `postgres`. */
export type TransportType = 'postgres' | 'supabase' | 'sync' | 'memory' | 'redis' | 'rabbitmq' | 'sqs'

/** One transport. */
export interface TransportConfig {
  /**
   * Its type, a {@link TransportType}. Any text type-checks, so that a plain object needs no `as const`; an unknown type
   * is refused when the configuration takes effect.
   */
  type: TransportType | (string & {})
  /** The queue of messages that name none; by default `defaultQueue`. */
  queue?: string
  /** The priority, 1 to 10, of messages that name none; by default `defaultPriority`. */
  priority?: number
  /** `false` refuses dispatches to it. `true` by default. */
  enabled?: boolean
  /** What only this type of transport knows. */
  options?: Record<string, unknown>
}

/** Transports by name. `default` may be the name of another: the default transport. `null` takes one away. */
export interface TransportsConfig {
  [name: string]: TransportConfig | string | null | undefined
}

/** How failures are retried. The n-th retry waits `delay * multiplier^n`, plus or minus `jitter`, at most `maxDelay`. */
export interface RetryConfig {
  /** Retries after the first run, so 3 means at most 4 runs. Default 3. */
  maxRetries?: number
  /** Before the first retry. Default 1 s. */
  delay?: Duration
  /** Growth from one retry to the next, at least 1. Default 2. */
  multiplier?: number
  /** Upper bound of the wait. Default 30 s; 0: none. */
  maxDelay?: Duration
  /** Random part of the wait, 0 to 1. Default 0.1. */
  jitter?: number
}

/** Routing by priority: the first rule that fits decides, before `routing`. */
export interface PriorityRoute {
  /** From this priority on. Default 1. */
  min?: number
  /** Up to this priority. Default 10. */
  max?: number
  /** Where such messages go. */
  transport: string | string[]
  /** Only these types, patterns such as `Email*` included. Default: all. */
  types?: string[]
}

/** How messages are consumed. */
export interface WorkerConfig {
  /** Messages in one claim. Default 10. */
  batchSize?: number
  /** Handlers running at a time. Default 5. */
  maxConcurrency?: number
  /** Pause of an idle worker between two looks. Default 1 s. */
  pollInterval?: Duration
  /** How long a claim stands without a heartbeat. Default 30 s. */
  lease?: Duration
  /** At how many crashes a message becomes a dead letter, 2 to 1000. Default 3. */
  maxCrashes?: number
  /** How long one handler may run; 0: as long as it likes. Default 0. */
  handlerTimeout?: Duration
  /** How long a stopping worker waits for its handlers. Default 30 s. */
  shutdownTimeout?: Duration
}

/** The database. */
export interface DatabaseConfig {
  /** For everything; a transaction pooler will do. */
  url?: string
  /** For migrations, past the pooler; by default `url`. */
  directUrl?: string
  /** The schema of the tables. Default `symphony`. */
  schema?: string
  /** Connections at most. Default 5. */
  poolSize?: number
  /** Whether `url` is a transaction pooler; by default found from the URL (port 6543, or `pgbouncer=true`). */
  pooled?: boolean
  /** After which a statement is cancelled. Default 15 s. */
  statementTimeout?: Duration
  /** After which connecting fails. Default 10 s. */
  connectTimeout?: Duration
}

/** Figures from which on something is wrong. */
export interface HealthThresholds {
  /** Due messages, all queues together. Default 10,000 for degraded, 100,000 for unhealthy. */
  queueDepth?: number
  /** How long the oldest due message has waited. Default 5 min, 1 h. */
  oldestAge?: Duration
  /** Failed of processed, 0 to 1. Default 0.1, 0.5. */
  errorRate?: number
  /** Dead letters of the last hour. Default 1, 1,000. */
  deadLetters?: number
}

/** When the queue counts as degraded and as unhealthy. */
export interface HealthConfig {
  /** How far error rate and latency look back. Default 5 min. */
  window?: Duration
  /** Runs below which the error rate says nothing. Default 20. */
  minimumVolume?: number
  /** From here on it works, but somebody should look. */
  degraded?: HealthThresholds
  /** From here on it does not do its work. */
  unhealthy?: HealthThresholds
}

/** The circuit breaker of a message type: pauses it while it fails too often. */
export interface CircuitConfig {
  /** Whether there is one. Default false; under `types` true. */
  enabled?: boolean
  /** Retryable failures of runs from which on it opens, 0.01 to 1. Default 0.5. */
  failureRate?: number
  /** Runs in the window below which it stays closed. Default 20. */
  minimumVolume?: number
  /** How long runs are counted before counting begins anew. Default 1 min. */
  window?: Duration
  /** How long the type is paused before one message is tried. Default 30 s. */
  coolDown?: Duration
}

/** Circuit breakers: what applies to all types, and what to some. */
export interface CircuitBreakerConfig extends CircuitConfig {
  /** By message type, or pattern such as `Email*`. */
  types?: Record<string, CircuitConfig>
}

/** The lines that the built-in logger writes. */
export interface LoggingConfig {
  /** The least severe level that is written. Default `warn`. */
  level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** `auto`: JSON when `NODE_ENV` is `production`, else text. Default `auto`. */
  format?: 'auto' | 'json' | 'text'
}

/** Switches for a gradual migration; all off by default. */
export interface FeaturesConfig {
  /** The main switch: while it is off, the others count as off. */
  enabled?: boolean
  /** E-mails go through the queue. */
  emailQueue?: boolean
  /** Campaigns are processed by the queue. */
  campaignProcessing?: boolean
  /** SMS drips go through the queue. */
  smsDrip?: boolean
}

/** All that can differ between environments. */
export interface EnvironmentConfig {
  /** Where messages without a route go. Default `supabase`. */
  defaultTransport?: string
  /** Default `default`. */
  defaultQueue?: string
  /** 1 to 10. Default 5. */
  defaultPriority?: number
  /** Transports by name; `sync`, `supabase`, `postgres` and `memory` exist already. */
  transports?: TransportsConfig
  /** Message type, or pattern such as `Email*` and `*`, to transport or transports. */
  routing?: Record<string, string | string[]>
  /** Routing by priority. */
  priorityRouting?: PriorityRoute[]
  /** Message type, pattern or `default` to strategy; a type's strategy fills its gaps from `default`. */
  retry?: Record<string, RetryConfig>
  /** How messages are consumed. */
  worker?: WorkerConfig
  /** How long an idempotency key is taken. Default 24 h. */
  deduplication?: { window?: Duration }
  /** How long finished messages, dead letters and metrics are kept. Default 24 h, 30 days and 7 days. */
  retention?: {
    completed?: Duration | 'forever' | 'none'
    failed?: Duration | 'forever'
    metrics?: Duration | 'forever'
  }
  /** When the queue counts as degraded and as unhealthy. */
  health?: HealthConfig
  /** Pauses message types that fail too often. Off by default. */
  circuitBreaker?: CircuitBreakerConfig
  /** The lines that the built-in logger writes. */
  logging?: LoggingConfig
  /** The largest payload, headers and metadata, in bytes of JSON text. Default 1 MiB, 64 KiB and 64 KiB. */
  payload?: { maxBytes?: number; maxHeadersBytes?: number; maxMetadataBytes?: number }
  /** The database. */
  database?: DatabaseConfig
  /** Switches for a gradual migration. */
  features?: FeaturesConfig
}

/** The configuration as an application writes it: all of it optional. */
export interface SymphonyConfig extends EnvironmentConfig {
  /** Sections laid over the rest where `SYMPHONY_ENV`, or else `NODE_ENV`, has their name. */
  environments?: Record<string, EnvironmentConfig>
}

/** A retry strategy in force: a {@link RetryConfig} without gaps, durations in milliseconds. */
export type EffectiveRetry = Required<{ [Key in keyof RetryConfig]: number }>

/** Thresholds in force, durations in milliseconds. */
export type EffectiveThresholds = Required<{ [Key in keyof HealthThresholds]: number }>

/** A circuit breaker in force, durations in milliseconds. */
export type EffectiveCircuit = { enabled: boolean } & Required<{
  [Key in Exclude<keyof CircuitConfig, 'enabled'>]: number
}>

/** The configuration in force: a {@link SymphonyConfig} without gaps, durations in milliseconds. */
export interface EffectiveConfig {
  defaultTransport: string
  defaultQueue: string
  defaultPriority: number
  transports: Record<string, TransportConfig>
  routing: Record<string, string[]>
  priorityRouting: Array<{ min: number; max: number; transport: string[]; types?: string[] }>
  retry: Record<string, EffectiveRetry>
  worker: Required<{ [Key in keyof WorkerConfig]: number }>
  deduplication: { window: number }
  retention: { completed: number | 'forever' | 'none'; failed: number | 'forever'; metrics: number | 'forever' }
  health: {
    window: number
    minimumVolume: number
    degraded: EffectiveThresholds
    unhealthy: EffectiveThresholds
  }
  circuitBreaker: EffectiveCircuit & { types: Record<string, EffectiveCircuit> }
  logging: Required<LoggingConfig>
  payload: { maxBytes: number; maxHeadersBytes: number; maxMetadataBytes: number }
  /** Passwords in URLs are masked. */
  database: DatabaseConfig
  features: Required<FeaturesConfig>
}
