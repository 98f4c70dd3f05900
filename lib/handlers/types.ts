/** What a handler is, and what it gets. */
import type { Duration } from '../base/duration.js'
import type { Logger } from '../base/logger.js'
import type { Message, MessageHeaders, MessageMetadata, MessageShape } from '../message/message.js'
import type { Discard, Snooze } from './outcomes.js'

/** A message as its transport has it. */
export interface MessageEnvelope<M extends MessageShape = Message> {
  /** The message's id, a UUIDv7. */
  readonly id: string
  /** The message. */
  readonly message: M
  /** The caller's headers and `message-type`, `message-id`, `dispatched-at`. */
  readonly headers: MessageHeaders
  /** The transport it came from. */
  readonly transportName: string
  /** The queue within the transport. */
  readonly queueName: string
  /** 1 to 10, 10 first. */
  readonly priority: number
  /** The requested time, if any. */
  readonly scheduledAt: Date | null
  /** From when it could be handled. */
  readonly availableAt: Date
  /** When it was dispatched. */
  readonly createdAt: Date
  /** The caller's key, if any. */
  readonly idempotencyKey: string | null
  /** Metadata of message and options, merged. */
  readonly metadata: MessageMetadata
  /** Failed runs before this one. */
  readonly retryCount: number
  /** Retries allowed after the first run. */
  readonly maxRetries: number
}

/**
 * What a handler knows about its run. Envelope and context are one object, passed twice, so that both
 * `(message, context)` and `(message, envelope, context)` work.
 */
export interface HandlerContext<M extends MessageShape = Message> extends MessageEnvelope<M> {
  /** The same as `id`. */
  readonly messageId: string
  /** The same as `transportName`. */
  readonly transport: string
  /** Which run this is; the first is 1. */
  readonly attempt: number
  /** Aborted when the handler runs too long, the time of the drain is up, or the process must stop. */
  readonly signal: AbortSignal
  /** When the signal will be aborted at the latest; `null`: no limit. */
  readonly deadline: Date | null
  /** The W3C trace context of the dispatching request; `undefined` if it had none. */
  readonly traceparent: string | undefined
  /** What vendors added to the trace context. */
  readonly tracestate: string | undefined
  /** Writes with the message's id, type, transport, attempt and trace id. */
  readonly logger: Logger
  /**
   * Runs the message again later, without using up an attempt, once this handler has ended well; also without `return`.
   *
   * @param delay how long from now: milliseconds, or `'30s'`, `'5m'`, …
   */
  snooze(delay: Duration): Snooze
  /**
   * Finishes the message although nothing was done, once this handler has ended well; also without `return`.
   *
   * @param reason kept with the message.
   */
  discard(reason?: string): Discard
}

/**
 * A handler as a function. What it returns, or resolves with, is ignored, except for `snooze(…)` and `discard(…)`. An
 * `Error`, `{ ok: false }` or `{ delay: 5000 }` is a mistake: the run fails, and in production it is logged.
 */
export type HandlerFunction<M extends MessageShape = Message> = (
  message: M,
  envelope: HandlerContext<M>,
  context: HandlerContext<M>,
) => unknown

/** Whether an error is retried: yes or no, or with a delay in milliseconds; `undefined`: the default rules decide. */
export type ErrorVerdict = boolean | { retryable: boolean; retryAfter?: number } | undefined

/** A handler as an object or class. */
export interface MessageHandler<M extends MessageShape = Message> {
  /** The type it handles, if it is registered without one. */
  type?: M['type']
  /** As {@link HandlerOptions.name}. */
  name?: string
  /** How long it may run, instead of `worker.handlerTimeout`: milliseconds or `'30s'`. */
  timeout?: number | string
  /** Does the work. A rejection is a failure; what it returns counts as in {@link HandlerFunction}. */
  handle(message: M, envelope: HandlerContext<M>, context: HandlerContext<M>): unknown
  /** Decides about an error, before every other rule. */
  classifyError?(error: unknown, context: HandlerContext<M>): ErrorVerdict
}

/** How a handler is registered. */
export interface HandlerOptions {
  /**
   * Distinguishes it from other handlers of the same type or pattern, and is remembered when it succeeds: keep it when
   * the code changes. One handler per type or pattern needs none.
   */
  name?: string
  /** How long it may run, instead of `worker.handlerTimeout`: milliseconds or `'30s'`; 0: no limit. */
  timeout?: number | string
}
