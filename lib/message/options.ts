/** How a message is dispatched: the options that may stand in it or beside it. */
import type { Duration } from '../base/duration.js'
import type { MessageMetadata } from './message.js'

/** How one message is dispatched. Everything is optional; routing and configuration decide the rest. */
export interface DispatchOptions {
  /** One or more transports, instead of routing. */
  transport?: string | string[]
  /** The queue within the transport. */
  queue?: string
  /** 1 to 10, 10 first. */
  priority?: number
  /** Not before this instant: a `Date`, an ISO 8601 text with zone, or milliseconds since the epoch. */
  scheduledAt?: Date | string | number
  /** Not before this much later, by the database's clock: milliseconds, or `'30s'`, `'5m'`, `'24h'`. */
  delay?: Duration
  /** Unique for the type within `deduplication.window`: a second dispatch with it returns `status: 'duplicate'`. */
  idempotencyKey?: string
  /** Text that travels with the message, such as a trace id. */
  headers?: Record<string, string>
  /** Merged over the message's own metadata. */
  metadata?: MessageMetadata
  /** Retries after the first run, instead of the type's retry strategy; 0 for none. */
  maxRetries?: number
}
