/** What `dispatch()` takes and returns. */

import type { SymphonyError } from '../base/errors.js'
import type { TransportConfig } from '../config/model.js'
import type { MessageParts } from '../message/message.js'
import type { Declared, Messages } from '../message/messages.js'
import type { DispatchOptions } from '../message/options.js'

export type { DispatchOptions } from '../message/options.js'

/**
 * What {@link dispatch} and {@link dispatchBatch} take: a {@link Message}, or anything of its shape, with its options flat
 * beside type and payload: `{ type, payload, priority: 7, delay: '5m' }`. A key that is none of them is refused.
 *
 * Options given beside the message take precedence over those in it.
 */
export interface MessageInput<Payload extends object = object, Type extends string = string>
  extends MessageParts<Payload, Type>,
    Omit<DispatchOptions, 'metadata'> {}

/**
 * A message that may be dispatched: one of the type named, as in `dispatch<WelcomeMail>({ … })`; without a name a declared
 * one, see {@link Messages}; where none is declared, any.
 */
export type Dispatchable<Types = Messages, Named extends MessageParts = never> = [Named] extends [never]
  ? Declared<
      Types,
      {
        [Type in keyof Types]: Types[Type] extends object ? MessageInput<Types[Type], Type & string> : never
      }[keyof Types],
      MessageInput
    >
  : MessageInput<Named['payload'], Named['type']>

/** Options of a batch: defaults for each of its messages. A key belongs to one message, so it is not among them. */
export interface BatchOptions extends Omit<DispatchOptions, 'idempotencyKey'> {
  /**
   * All messages or none: the first one that cannot be stored rejects the whole; at most 64 MiB of JSON. `false` by
   * default.
   */
  atomic?: boolean
}

/** Options stand in `options`, and not beside `message`. */
type NoOptions = { [Option in keyof DispatchOptions]?: undefined }

/** A message with its options beside it, for {@link dispatchBatch}. */
export interface BatchItem<Types = Messages> extends NoOptions {
  /** The message. */
  message: Dispatchable<Types>
  /** Its options, over those of the batch. */
  options?: DispatchOptions
  /** Tells it from a message. */
  type?: undefined
}

/**
 * What happened to a dispatched message: `'queued'`: stored; `'duplicate'`: its idempotency key was taken, `messageId`
 * is the first message's; `'handled'`: its handlers have run (transport `sync`).
 */
export type DispatchStatus = 'queued' | 'duplicate' | 'handled'

/** A message as one transport has it. */
export interface StoredMessage {
  /** The message's id, a UUIDv7. */
  messageId: string
  /** What happened to it. */
  status: DispatchStatus
  /** The transport. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** When it can be handled at the earliest. */
  availableAt: Date
  /** The requested time, if any. */
  scheduledAt?: Date
  /** The given key, or a generated one. */
  idempotencyKey: string
}

/** A transport that did not take the message although another one did. */
export interface FailedTransport {
  /** The transport. */
  transport: string
  /** Why. */
  error: Error
}

/** The result of `dispatch()`: the message as its first transport has it, and as all of them have it. */
export interface DispatchResult extends StoredMessage {
  /** One entry per transport; several if routing fans out. */
  messages: Array<StoredMessage | FailedTransport>
}

/** One entry of the result of `dispatchBatch()`. */
export type BatchResult = ({ success: true } & DispatchResult) | { success: false; error: SymphonyError | Error }

/** One entry of the result of `dispatchToTransports()`. */
export type TransportResult =
  | ({ success: true } & StoredMessage)
  | { success: false; transport: string; error: SymphonyError | Error }

/** What `setDispatcher()` takes: anything that dispatches, such as a test double. */
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
