/** The configuration: what an application writes, and what is in force. */
import type { Duration } from '../base/duration.js'

/** Where messages can wait. `supabase` is another name for `postgres`. */
export type TransportType = 'postgres' | 'supabase' | 'sync' | 'memory' | 'redis' | 'rabbitmq' | 'sqs'

/** One transport. */
export interface TransportConfig {
  /**
   * Its type, a {@link TransportType}. Any string type-checks, so that a plain object needs no `as const`; an unknown
   * type is refused when the configuration takes effect.
   */
  type: TransportType | (string & {})
  /** The queue of messages that specify none; `defaultQueue` by default. */
  queue?: string
  /** The priority, 1 to 10, of messages that specify none; `defaultPriority` by default. */
  priority?: number
  /**
   * `false` refuses dispatches to it, and gives none of its messages out: at once in this process, and within a second
   * in all of them where its row of `messenger_transports` says so. `true` by default.
   */
  enabled?: boolean
  /** Options of this type of transport. */
  options?: Record<string, unknown>
}

/** Transports by name. `default` may be the name of another: the default transport. `null` removes one. */
export interface TransportsConfig {
  [name: string]: TransportConfig | string | null | undefined
}

/** How failures are retried. The n-th retry waits `delay * multiplier^n`, plus or minus `jitter`, at most `maxDelay`. */
export interface RetryConfig {
  /** Retries after the first run, so 3 means at most 4 runs. Default 10. */
  maxRetries?: number
  /** Delay before the first retry. Default 1 s. */
  delay?: Duration
  /** Growth from one retry to the next, at least 1. Default 2. */
  multiplier?: number
  /** Upper bound of the delay. Default 10 min; 0: none. */
  maxDelay?: Duration
  /** Random fraction of the delay, 0 to 1. Default 0.1. */
  jitter?: number
}

/** Routing by priority: the first rule that matches decides, before `routing`. */
export interface PriorityRoute {
  /** The lowest priority. Default 1. */
  min?: number
  /** The highest priority. Default 10. */
  max?: number
  /** Where such messages go. */
  transport: string | string[]
  /** Only these types or patterns such as `Email*`. Default: all. */
  types?: string | string[]
}

/** How messages are consumed. */
export interface WorkerConfig {
  /** Messages in one claim. Default 10. */
  batchSize?: number
  /** Handlers running at the same time. Default 5. */
  maxConcurrency?: number
  /** Pause of an idle worker between two polls. Default 1 s. */
  pollInterval?: Duration
  /** How long a claim is valid without a heartbeat. Default 30 s. */
  lease?: Duration
  /** The number of crashes that make a message a dead letter, 2 to 1000. Default 3. */
  maxCrashes?: number
  /** How long one handler may run; 0: no limit. Default 15 min. */
  handlerTimeout?: Duration
  /** How long a stopping worker waits for its handlers. Default 30 s. */
  shutdownTimeout?: Duration
}

/** The database. */
export interface DatabaseConfig {
  /** Used for everything; a transaction pooler will do. */
  url?: string
  /** For migrations and LISTEN, past the pooler; `url` by default. */
  directUrl?: string
  /** The schema of the tables. Default `symphony`. */
  schema?: string
  /** Maximum number of connections. Default 5. */
  poolSize?: number
  /** Whether `url` is a transaction pooler; by default derived from the URL (port 6543, or `pgbouncer=true`). */
  pooled?: boolean
  /** Time after which a statement is cancelled. Default 15 s. */
  statementTimeout?: Duration
  /** Time after which connecting fails. Default 10 s. */
  connectTimeout?: Duration
  /** Time after which a connection that nobody uses is closed. Default 30 s. */
  idleTimeout?: Duration
}

/** Figures at which something is wrong. */
export interface HealthThresholds {
  /** Due messages, all queues together. Default 10,000 for warnings, 100,000 for errors. */
  queueDepth?: number
  /** How long the oldest due message has waited. Default 5 min, 1 h. */
  oldestAge?: Duration
  /** Fraction of runs that failed, 0 to 1. Default 0.1, 0.5. */
  errorRate?: number
  /** Dead letters of the last hour. Default 10, 1,000. */
  deadLetters?: number
}

/** At which figures `getHealth()` and `doctor()` find a warning, and at which an error. */
export interface HealthConfig {
  /** How far error rate and latency look back. Default 5 min. */
  window?: Duration
  /** Number of runs below which the error rate is ignored. Default 20. */
  minimumVolume?: number
  /** It works, but someone should look. */
  warning?: HealthThresholds
  /** It does not do its work. */
  error?: HealthThresholds
}

/** The circuit breaker of a message type: pauses it while it fails too often. */
export interface CircuitConfig {
  /** Whether there is one. Default false; under `types` true. */
  enabled?: boolean
  /** Fraction of runs with a retryable failure at which it opens, 0.01 to 1. Default 0.5. */
  failureRate?: number
  /** Runs in the window below which it stays closed. Default 20. */
  minimumVolume?: number
  /** Time after which counting starts again. Default 1 min. */
  window?: Duration
  /** How long the type is paused before one message is tried. Default 30 s. */
  coolDown?: Duration
}

/** Circuit breakers: for all types, and for some. */
export interface CircuitBreakerConfig extends CircuitConfig {
  /** By message type, or pattern such as `Email*`. */
  types?: Record<string, CircuitConfig>
}

/** The lines that the built-in logger writes. */
export interface LoggingConfig {
  /** The least severe level that is written. Default `warn`. */
  level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Levels of single parts of the core, such as `symphony::postgres`, where they differ from that of the logger. */
  targets?: Record<string, 'debug' | 'info' | 'warn' | 'error' | 'silent'>
  /** `auto`: JSON when `NODE_ENV` is `production`, else text. Default `auto`. */
  format?: 'auto' | 'json' | 'text'
}

/** Switches for a gradual migration, by any name; those that nothing sets are off. */
export interface FeaturesConfig {
  /** The main switch: while it is off, the others count as off. Default false. */
  enabled?: boolean
  /** Whether that part uses the queue. `SYMPHONY_EMAIL_QUEUE_ENABLED` sets `emailQueue`. */
  [name: string]: boolean | undefined
}

/** All that can differ between environments. */
export interface EnvironmentConfig {
  /** Where messages without a route go. Default `supabase`. */
  defaultTransport?: string
  /** Default `default`. */
  defaultQueue?: string
  /** 1 to 10. Default 5. */
  defaultPriority?: number
  /** Transports by name; `sync`, `supabase` and `memory` exist already. */
  transports?: TransportsConfig
  /** Maps message types, or patterns such as `Email*` and `*`, to one or more transports. */
  routing?: Record<string, string | string[]>
  /** Routing by priority. */
  priorityRouting?: PriorityRoute[]
  /** Maps message types, patterns or `default` to strategies; `default` fills the gaps of the others. */
  retry?: Record<string, RetryConfig>
  /** How messages are consumed. */
  worker?: WorkerConfig
  /** How long an idempotency key stays taken by its type. Default 24 h. */
  deduplication?: { window?: Duration | 'forever' }
  /** How long finished messages, dead letters, metrics and audit are kept. Default 24 h, 30, 7 and 90 days. */
  retention?: {
    completed?: Duration | 'forever' | 'none'
    failed?: Duration | 'forever'
    metrics?: Duration | 'forever'
    audit?: Duration | 'forever'
  }
  /** At which figures `getHealth()` and `doctor()` find a warning, and at which an error. */
  health?: HealthConfig
  /** Pauses message types that fail too often. Off by default. */
  circuitBreaker?: CircuitBreakerConfig
  /** Which log lines are written, and how the built-in logger writes them. */
  logging?: LoggingConfig
  /** The largest payload, headers and metadata, in bytes of JSON text. Default 1 MiB, 64 KiB and 64 KiB. */
  payload?: { maxBytes?: number; maxHeadersBytes?: number; maxMetadataBytes?: number }
  /** The database. */
  database?: DatabaseConfig
  /** Switches for a gradual migration. */
  features?: FeaturesConfig
}

/** The configuration as an application writes it. Everything is optional. */
export interface SymphonyConfig extends EnvironmentConfig {
  /** Sections merged over the rest if `SYMPHONY_ENV`, else `NODE_ENV`, has their name. */
  environments?: Record<string, EnvironmentConfig>
}

/** A complete retry strategy: a {@link RetryConfig} without gaps, durations in milliseconds. */
export type EffectiveRetry = Required<{ [Key in keyof RetryConfig]: number }>

/** Complete thresholds, durations in milliseconds. */
export type EffectiveThresholds = Required<{ [Key in keyof HealthThresholds]: number }>

/** A complete circuit breaker, durations in milliseconds. */
export type EffectiveCircuit = { enabled: boolean } & Required<{
  [Key in Exclude<keyof CircuitConfig, 'enabled'>]: number
}>

/** The current configuration: a {@link SymphonyConfig} without gaps, durations in milliseconds. */
export interface EffectiveConfig {
  defaultTransport: string
  defaultQueue: string
  defaultPriority: number
  transports: Record<string, TransportConfig>
  routing: Record<string, string[]>
  priorityRouting: Array<{ min: number; max: number; transport: string[]; types?: string[] }>
  retry: Record<string, EffectiveRetry>
  worker: Required<{ [Key in keyof WorkerConfig]: number }>
  deduplication: { window: number | 'forever' }
  retention: {
    completed: number | 'forever' | 'none'
    failed: number | 'forever'
    metrics: number | 'forever'
    audit: number | 'forever'
  }
  health: {
    window: number
    minimumVolume: number
    warning: EffectiveThresholds
    error: EffectiveThresholds
  }
  circuitBreaker: EffectiveCircuit & { types: Record<string, EffectiveCircuit> }
  logging: Required<LoggingConfig>
  payload: { maxBytes: number; maxHeadersBytes: number; maxMetadataBytes: number }
  /** Passwords in URLs are masked. */
  database: DatabaseConfig
  features: { enabled: boolean; [name: string]: boolean }
}
