/** The one object that a handler gets as envelope and as context. */
import type { Duration } from '../base/duration.js'
import { type Log, type Logger, processLog, withFields } from '../base/logger.js'
import type { Message, MessageHeaders, MessageMetadata } from '../message/message.js'
import { readTraceContext, traceIdOf } from '../tracing/trace-context.js'
import type { Delivery } from './delivery.js'
import { type Discard, discard, type HandlerOutcome, type Snooze, snooze } from './outcomes.js'
import type { HandlerContext } from './types.js'

/**
 * Created for every message, so what few handlers use (dates, signal, logger) is created on demand.
 */
export class DeliveryContext implements HandlerContext {
  readonly id: string
  readonly headers: MessageHeaders
  readonly transportName: string
  readonly queueName: string
  readonly priority: number
  readonly idempotencyKey: string | null
  readonly metadata: MessageMetadata
  readonly retryCount: number
  readonly maxRetries: number
  /** Replaced by what the schema of a handler returns while that handler runs. */
  message: Message

  /** The log of the instance that it came through. */
  readonly log: Log
  readonly #delivery: Delivery
  readonly #deadline: number | null
  #limit: number | null = null
  #aborted: { reason: unknown } | undefined
  #controller: AbortController | undefined
  #logger: Logger | undefined
  #outcome: HandlerOutcome | undefined
  #ended = false

  constructor(delivery: Delivery, deadline: number | null, log: Log = processLog()) {
    this.log = log
    this.#delivery = delivery
    this.#deadline = deadline
    this.id = delivery.id
    this.message = { type: delivery.type, payload: delivery.payload, metadata: delivery.metadata }
    this.headers = delivery.headers
    this.transportName = delivery.transport
    this.queueName = delivery.queue
    this.priority = delivery.priority
    this.idempotencyKey = delivery.idempotencyKey
    this.metadata = delivery.metadata
    this.retryCount = delivery.retryCount
    this.maxRetries = delivery.maxRetries
  }

  get messageId(): string {
    return this.id
  }

  get transport(): string {
    return this.transportName
  }

  get attempt(): number {
    return this.retryCount + 1
  }

  get createdAt(): Date {
    return new Date(this.#delivery.createdAt)
  }

  get availableAt(): Date {
    return new Date(this.#delivery.availableAt)
  }

  get scheduledAt(): Date | null {
    return this.#delivery.scheduledAt === null ? null : new Date(this.#delivery.scheduledAt)
  }

  get deadline(): Date | null {
    const limit = this.#limit === null ? null : Date.now() + Math.round(this.#limit - performance.now())
    const times = [this.#deadline, limit].filter((time) => time !== null)
    return times.length === 0 ? null : new Date(Math.min(...times))
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  get traceparent(): string | undefined {
    return readTraceContext(this.headers)?.traceparent
  }

  get tracestate(): string | undefined {
    return readTraceContext(this.headers)?.tracestate
  }

  get traceId(): string | undefined {
    return traceIdOf(this.headers)
  }

  get logger(): Logger {
    this.#logger ??= withFields(this.log.current, {
      messageId: this.id,
      messageType: this.#delivery.type,
      transport: this.transportName,
      attempt: this.attempt,
      traceId: this.traceId,
    })
    return this.#logger
  }

  snooze(delay: Duration): Snooze {
    const outcome = snooze(delay)
    this.#note('snooze', outcome)
    return outcome
  }

  discard(reason?: string): Discard {
    const outcome = discard(reason)
    this.#note('discard', outcome)
    return outcome
  }

  /** A warning, not an error: thrown where nobody awaits it, it would end the process. */
  #note(method: string, outcome: HandlerOutcome): void {
    this.#outcome = outcome
    if (!this.#ended) return
    const { type } = this.#delivery
    this.logger.warn(
      `context.${method}() has no effect: the handlers of this ${type} have ended, await what calls it in the handler`,
    )
  }

  /** What {@link snooze} or {@link discard} ask for comes too late from now on. */
  end(): void {
    this.#ended = true
  }

  /** Whether {@link snooze} or {@link discard} was called since {@link takeOutcome}. */
  get hasOutcome(): boolean {
    return this.#outcome !== undefined
  }

  /** What {@link snooze} or {@link discard} asked for last; it is forgotten here. */
  takeOutcome(): HandlerOutcome | undefined {
    const outcome = this.#outcome
    this.#outcome = undefined
    return outcome
  }

  /** The message as it was stored. */
  get delivery(): Delivery {
    return this.#delivery
  }

  /** Whether {@link abort} was called. */
  get aborted(): boolean {
    return this.#aborted !== undefined
  }

  /** Aborts the signal, even if it is asked for later. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason }
    this.#controller?.abort(reason)
  }

  /** When the handler that runs will be given up, as `performance.now()` tells the time. */
  limitTo(instant: number | null): void {
    this.#limit = instant
  }

  /** What a log shows: everything but the payload. */
  toJSON(): Record<string, unknown> {
    const { id, headers, transportName, queueName, priority, retryCount, maxRetries, attempt, metadata } = this
    const { createdAt, availableAt, scheduledAt, idempotencyKey } = this
    const what = { id, type: this.#delivery.type, headers, metadata, transportName, queueName, priority }
    return { ...what, idempotencyKey, createdAt, availableAt, scheduledAt, retryCount, maxRetries, attempt }
  }
}
