/** Inspecting queues, clean-up, closing. */
import { forgetConfig } from '../config/effective.js'
import { existingCore, forgetCore, getCore } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'
import { getRegistry, type HandlerRegistry } from '../handlers/registry.js'
import { stopSchedulers } from '../schedules/scheduler.js'

/** The contents of one queue. */
export interface QueueDepth {
  /** The transport. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** Due now. */
  pending: number
  /** Waiting for their time. */
  delayed: number
  /** Claimed and not settled. */
  processing: number
  /** Milliseconds that the oldest due message has waited; `null`: none is due. */
  oldestAge: number | null
  /** Whether counting stopped at its cap, so that there is more than the figures say. */
  capped: boolean
}

/** Waiting messages of a type without a handler. */
export interface UnhandledMessages {
  /** The type. */
  type: string
  /** The transport they wait in. */
  transport: string
  /** The queue they wait in. */
  queue: string
  /** How many are due, up to a cap. */
  count: number
}

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
}

/** How much is in each queue. Counts are capped, so this is cheap for queues of any length. */
export async function queueDepth(options: { transports?: string[] } = {}): Promise<QueueDepth[]> {
  return JSON.parse(await awaitNative(async () => getCore().depth(JSON.stringify(options))))
}

/** Due messages whose type has no handler in `registry`, by default the one of the process. */
export async function unhandledMessages(registry: HandlerRegistry = getRegistry()): Promise<UnhandledMessages[]> {
  const types = registry.claimable()
  if (types === null) return []
  return JSON.parse(await awaitNative(async () => getCore().unhandled(JSON.stringify({ types }))))
}

/**
 * Deletes what is past its retention.
 *
 * @param options.limit the most rows of each kind.
 */
export async function cleanup(options: { limit?: number } = {}): Promise<CleanupResult> {
  return JSON.parse(await awaitNative(async () => getCore().cleanup(JSON.stringify(options))))
}

/**
 * Stops every worker, drain and scheduler of this thread as `stop()` would, and closes its connections; those that other
 * threads of the process share stay open for them. A process can exit without it; the next call opens new connections
 * and rereads the environment. Do not call it in a handler: it would wait for itself.
 */
export async function close(): Promise<void> {
  await stopSchedulers()
  const core = existingCore()
  forgetCore()
  forgetConfig()
  if (core !== undefined) await awaitNative(() => core.close())
}
