/** From a message to one or several transports. */
import { brand, hasBrand } from '../base/brand.js'
import { peekShared, setShared } from '../base/process-state.js'
import type { TransportConfig } from '../config/model.js'
import { getRuntimeConfigManager } from '../config/runtime.js'
import { getBatcher, getCore } from '../core/core.js'
import { awaitNative, fromNative } from '../core/native-error.js'
import { isDefinition, type MessageDefinition } from '../message/define.js'
import type { MessageInput } from '../message/message.js'
import type { SchemaInput } from '../message/standard-schema.js'
import { openTelemetry } from '../tracing/open-telemetry.js'
import { type Attributes, inDispatchSpan } from '../tracing/spans.js'
import { dispatchAll } from './batch.js'
import { prepare } from './prepare.js'
import { type Outcome, toTransportResults, unwrap } from './results.js'
import type {
  BatchItem,
  BatchOptions,
  BatchResult,
  Dispatcher,
  DispatchOptions,
  DispatchResult,
  TransportResult,
} from './types.js'
import { watched } from './watcher.js'

/** The dispatcher over the native core. It is stateless. */
export class SymphonyDispatcher implements Dispatcher {
  static {
    brand(SymphonyDispatcher, 'SymphonyDispatcher')
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that was asked, which may be a subclass.
    return hasBrand(this, value)
  }

  /** See {@link dispatch}. */
  async dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult> {
    if (openTelemetry() === undefined) return this.#dispatch(message, options)
    return inDispatchSpan(String(message?.type), () => this.#dispatch(message, options), describeDispatch)
  }

  async #dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult> {
    const prepared = prepare(message, options)
    const request = typeof prepared === 'string' ? prepared : await prepared
    let outcome: Outcome
    try {
      outcome = await getBatcher().add(request)
    } catch (thrown) {
      throw fromNative(thrown)
    }
    return unwrap(outcome)
  }

  /** See {@link dispatchBatch}. */
  async dispatchBatch(messages: Array<MessageInput | BatchItem>, options?: BatchOptions): Promise<BatchResult[]> {
    return inDispatchSpan('batch', () => dispatchAll(messages, options), describeBatch)
  }

  /** See {@link dispatchToTransports}. */
  async dispatchToTransports(
    message: MessageInput,
    transports: string[],
    options: DispatchOptions = {},
  ): Promise<TransportResult[]> {
    return toTransportResults(await this.dispatch(message, { ...options, transport: transports }))
  }

  /** See {@link registerTransport}. */
  registerTransport(name: string, config: TransportConfig): void {
    getRuntimeConfigManager().setTransport(name, config)
  }
}

/** What a span records of a dispatched message. */
function describeDispatch({ messageId, transport, queue }: DispatchResult): Attributes {
  return { 'messaging.message.id': messageId, 'messaging.destination.name': queue, 'symphony.transport': transport }
}

/** What a span records of a dispatched batch. */
function describeBatch(results: unknown[]): Attributes {
  return { 'messaging.batch.message_count': results.length }
}

const SLOT = 'dispatcher'

/** The dispatcher of the process. */
export function getDispatcher(): Dispatcher {
  return watched(peekShared<Dispatcher>(SLOT) ?? start())
}

function start(): Dispatcher {
  const dispatcher = new SymphonyDispatcher()
  setShared(SLOT, dispatcher)
  return dispatcher
}

/** Replaces the dispatcher that the functions of this package use; without an argument, restores the default. */
export function setDispatcher(dispatcher?: Dispatcher): void {
  setShared(SLOT, dispatcher)
}

/**
 * Stores a message for its handlers. When the promise resolves, the message is stored.
 *
 * Calls made at the same moment share one INSERT. The payload is copied at the call, so later changes have no effect.
 *
 * @throws MessageValidationError with `code` and `path`, before anything is sent; ConfigurationError for a transport
 * that does not exist; TransportError if it cannot be stored. With the transport `sync`, what the handler threw.
 *
 * @example
 * await dispatch({ type: 'EmailMessage', payload: { to: 'user@example.com' } }, { priority: 7, delay: '5m' })
 */
export function dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult>
/** Dispatches a message of a defined type: the payload is typed and validated by its schema. */
export function dispatch<Definition extends MessageDefinition>(
  definition: Definition,
  payload: SchemaInput<Definition['schema']>,
  options?: DispatchOptions,
): Promise<DispatchResult>
export async function dispatch(
  subject: MessageInput | MessageDefinition,
  second?: unknown,
  options?: DispatchOptions,
): Promise<DispatchResult> {
  if (isDefinition(subject)) return getDispatcher().dispatch(subject.create(second) as MessageInput, options)
  return getDispatcher().dispatch(subject, second as DispatchOptions | undefined)
}

/**
 * Stores many messages: one call of the core for up to 5,000, one INSERT per transport.
 *
 * @param messages messages, or `{ message, options }` for one with its own options.
 * @param options defaults for each message; `atomic: true` for all or nothing.
 * @returns one entry per message, in order: `{ success: true, …result }` or `{ success: false, error }`.
 * @throws only with `atomic: true`, the first error, and nothing is stored.
 */
export async function dispatchBatch(
  messages: Array<MessageInput | BatchItem>,
  options?: BatchOptions,
): Promise<BatchResult[]> {
  return getDispatcher().dispatchBatch(messages, options)
}

/**
 * Stores one message in several transports, each separately.
 *
 * @returns one entry per transport, in order.
 * @throws if the message is invalid, a transport does not exist, or no transport took it. If one of several fails, its
 * entry has the error.
 */
export async function dispatchToTransports(
  message: MessageInput,
  transports: string[],
  options?: DispatchOptions,
): Promise<TransportResult[]> {
  return getDispatcher().dispatchToTransports(message, transports, options)
}

/** Adds or changes a transport at run time. */
export function registerTransport(name: string, config: TransportConfig): void {
  getDispatcher().registerTransport(name, config)
}

/** How many dispatches were refused because this idempotency key was taken. */
export async function getDuplicateAttempts(idempotencyKey: string): Promise<number> {
  return awaitNative(() => getCore().duplicateAttempts(idempotencyKey))
}
