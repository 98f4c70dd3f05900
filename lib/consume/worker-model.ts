/** What a worker takes, and what it reports about itself. */

import type { Duration } from '../base/duration.js'
import type { ConsumerCounters } from './consumer.js'
import type { ConsumeOptions } from './options.js'
import type { UnhandledMessages } from './unhandled.js'

/** How a worker works: the options of `consumeBatch()`, and those of a long-lived process. */
export interface WorkerOptions extends ConsumeOptions {
  /** Pause between two polls when nothing is due, more than 0; `worker.pollInterval` by default. */
  pollInterval?: Duration
  /** How long `stop()` waits for running handlers before it hands them back; by default `worker.shutdownTimeout`. */
  shutdownTimeout?: Duration
  /**
   * Whether to be woken by LISTEN/NOTIFY when something is sent, if the database URL keeps a session. `true` by
   * default; a worker that is not woken still polls every `pollInterval`.
   */
  listen?: boolean
  /**
   * Whether SIGTERM and SIGINT stop the worker: the first one drains, a second one forces. By default `run()` listens to
   * them, because the worker is the program then, and `start()` does not: it is a part of one that ends by itself.
   */
  handleSignals?: boolean
  /**
   * How long the process may continue after SIGTERM or SIGINT once everything is handed back, 5 s by default. Handlers
   * that ignore their signal would keep it alive; after this time it ends as the signal would have ended it, with exit
   * code 143 or 130, unless `process.exitCode` is set. An application that listens to the signal itself must end its
   * process, unless such a handler is left. `false`, or where the worker does not listen to signals: the process is
   * never ended.
   */
  exitGrace?: Duration | false
}

/** The state of a worker. */
export type WorkerState = 'idle' | 'running' | 'stopping' | 'stopped'

/** The counters of a worker. */
export interface WorkerStats extends ConsumerCounters {
  /** Its state. */
  state: WorkerState
  /** Handlers running now. */
  running: number
  /** Mean duration of its messages, in milliseconds. */
  averageProcessingTime: number
  /** Milliseconds since its start; 0 before. */
  uptime: number
}

/** The health of a worker. */
export interface WorkerHealth {
  /** `warning`: it works, but look at `problems`; `error`: it does not. */
  status: 'ok' | 'warning' | 'error'
  /** Its state. */
  state: WorkerState
  /** Whether it takes messages. */
  running: boolean
  /** Handlers running now. */
  processing: number
  /** Milliseconds since its start. */
  uptime: number
  /** Bytes that the process uses. */
  memoryUsage: number
  /** The transport's last error. It counts as a problem until the worker works again, a minute at most. */
  lastError: { code: string; message: string; at: Date } | null
  /** Waiting messages that have no handler here. */
  unhandled: UnhandledMessages[]
  /** In words. */
  problems: string[]
}

/** The counters of a worker that never started. */
export const NOTHING: ConsumerCounters = {
  claimed: 0,
  succeeded: 0,
  retried: 0,
  deadLettered: 0,
  released: 0,
  snoozed: 0,
  discarded: 0,
  lost: 0,
  inFlight: 0,
  runs: 0,
  handlerMillis: 0,
}
