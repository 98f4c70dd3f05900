/** What `dispatch()` takes and answers. */

import type { Duration } from '../base/duration.js'
import type { SymphonyError } from '../base/errors.js'
import type { TransportConfig } from '../config/model.js'
import type { MessageInput, MessageMetadata } from '../message/message.js'

/** How one message is dispatched. Everything is optional; routing and configuration decide the rest. */
export interface DispatchOptions {
  /** The transport or transports, instead of what routing says. */
  transport?: string | string[]
  /** The queue inside the transport. */
  queue?: string
  /** 1 to 10, 10 first. */
  priority?: number
  /** Not before this instant: a `Date`, an ISO 8601 text with zone, or milliseconds since the epoch. */
  scheduledAt?: Date | string | number
  /** Not before so long from now, by the database's clock: milliseconds, or `'30s'`, `'5m'`, `'24h'`. */
  delay?: Duration
  /** Unique within `deduplication.window`: a second dispatch with it answers `status: 'duplicate'`. */
  idempotencyKey?: string
  /** Text that travels beside the message, such as a trace id. */
  headers?: Record<string, string>
  /** Merged over the message's own metadata. */
  metadata?: MessageMetadata
  /** Retries after the first run, instead of the type's retry strategy; 0 for none. */
  maxRetries?: number
}

/** Options of a batch: defaults for each of its messages. A key belongs to one message, so there is none here. */
export interface BatchOptions extends Omit<DispatchOptions, 'idempotencyKey'> {
  /**
   * All messages or none: the first one that cannot be stored rejects the whole; at most 64 MiB of JSON. `false` by
   * default.
   */
  atomic?: boolean
}

/** A message with options of its own, for {@link dispatchBatch}. */
export interface BatchItem {
  /** The message. */
  message: MessageInput
  /** Its options, over those of the batch. */
  options?: DispatchOptions
}

/**
 * What became of a dispatched message: `'queued'`: stored; `'duplicate'`: its idempotency key was taken, `messageId` is
 * the first message's; `'handled'`: its handlers have run (transport `sync`).
 */
export type DispatchStatus = 'queued' | 'duplicate' | 'handled'

/** A message as one transport has it. */
export interface StoredMessage {
  /** The message's id, a UUIDv7. */
  messageId: string
  /** What became of it. */
  status: DispatchStatus
  /** The transport. */
  transport: string
  /** The queue inside the transport. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** From when it can be handled. */
  availableAt: Date
  /** The instant asked for, if any. */
  scheduledAt?: Date
  /** The key given, or the one generated. */
  idempotencyKey: string
}

/** A transport that did not take the message, while another one did. */
export interface FailedTransport {
  /** The transport. */
  transport: string
  /** Why. */
  error: Error
}

/** The answer of `dispatch()`: the message as its first transport has it, and as all of them do. */
export interface DispatchResult extends StoredMessage {
  /** One entry a transport; several where routing fans out. */
  messages: Array<StoredMessage | FailedTransport>
}

/** One entry of the answer of `dispatchBatch()`. */
export type BatchResult = ({ success: true } & DispatchResult) | { success: false; error: SymphonyError | Error }

/** One entry of the answer of `dispatchToTransports()`. */
export type TransportResult =
  | ({ success: true } & StoredMessage)
  | { success: false; transport: string; error: SymphonyError | Error }

/** What `setDispatcher()` takes: everything that dispatches, such as a double in a test. */
export interface Dispatcher {
  /** Dispatches one message. */
  dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult>
  /** Dispatches many. */
  dispatchBatch(messages: Array<MessageInput | BatchItem>, options?: BatchOptions): Promise<BatchResult[]>
  /** Dispatches one message to several transports. */
  dispatchToTransports(
    message: MessageInput,
    transports: string[],
    options?: DispatchOptions,
  ): Promise<TransportResult[]>
  /** Adds or changes a transport. */
  registerTransport(name: string, config: TransportConfig): void
}
