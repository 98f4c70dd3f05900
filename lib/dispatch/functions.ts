/** What an application calls to dispatch messages. */
import { mustBeAll, text } from '../base/options.js'
import type { TransportConfig } from '../config/model.js'
import type { Core } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'
import { isDefinition, type MessageDefinition } from '../message/define.js'
import type { MessageParts } from '../message/message.js'
import type { Messages } from '../message/messages.js'
import type { SchemaInput } from '../message/standard-schema.js'
import type {
  BatchItem,
  BatchOptions,
  BatchResult,
  Dispatchable,
  Dispatcher,
  DispatchOptions,
  DispatchResult,
  MessageInput,
  TransportResult,
} from './types.js'
import type { Watchers } from './watcher.js'

/** Dispatching through an instance. */
export interface DispatchFunctions<Types = Messages> {
  /**
   * Stores a message for its handlers. When the promise resolves, the message is stored.
   *
   * Calls made at the same moment share one INSERT. The payload is copied at the call, so later changes have no effect.
   *
   * @throws MessageValidationError with `code` and `path`, before anything is sent; ConfigurationError for a transport
   * that does not exist; TransportError if it cannot be stored. With the transport `sync`, what the handler threw.
   *
   * @param message with its options flat beside type and payload.
   * @param options the same options, over those in the message.
   *
   * @example
   * await dispatch({ type: 'EmailMessage', payload: { to: 'user@example.com' }, priority: 7, delay: '5m' })
   */
  dispatch<Named extends MessageParts = never>(
    message: Dispatchable<Types, Named>,
    options?: DispatchOptions,
  ): Promise<DispatchResult>

  /** Dispatches a message of a defined type: the payload is typed and validated by its schema. */
  dispatch<Definition extends MessageDefinition>(
    definition: Definition,
    payload: SchemaInput<Definition['schema']>,
    options?: DispatchOptions,
  ): Promise<DispatchResult>

  /**
   * Stores many messages: one call of the core for up to 5,000, one INSERT per transport.
   *
   * @param messages messages, each with its own options flat beside type and payload, or as `{ message, options }`.
   * @param options defaults for each message; `atomic: true` for all or nothing.
   * @returns one entry per message, in order: `{ success: true, …result }` or `{ success: false, error }`.
   * @throws only with `atomic: true`, the first error, and nothing is stored.
   */
  dispatchBatch<Named extends MessageParts = never>(
    messages: Array<Dispatchable<Types, Named> | BatchItem<Types>>,
    options?: BatchOptions,
  ): Promise<BatchResult[]>

  /**
   * Stores one message in several transports, each separately.
   *
   * @returns one entry per transport, in order.
   * @throws if the message is invalid, a transport does not exist, or no transport took it. If one of several fails, its
   * entry has the error.
   */
  dispatchToTransports(
    message: Dispatchable<Types>,
    transports: string[],
    options?: DispatchOptions,
  ): Promise<TransportResult[]>

  /**
   * Adds or changes a transport at run time, in this process; with `enabled: false` it is switched off, for running
   * workers, too. For all processes there is the table `messenger_transports`.
   */
  registerTransport(name: string, config: TransportConfig): void

  /** How many dispatches were refused because this idempotency key was taken. */
  getDuplicateAttempts(idempotencyKey: string): Promise<number>

  /** The dispatcher of the instance. */
  getDispatcher(): Dispatcher

  /** Replaces the dispatcher that the functions use; without an argument, restores the default. */
  setDispatcher(dispatcher?: Dispatcher): void
}

/** The functions over a dispatcher. */
export function dispatchFunctions(usual: Dispatcher, watchers: Watchers, core: Core): DispatchFunctions {
  let current = usual
  const dispatcher = (): Dispatcher => watchers.watched(current)
  return {
    async dispatch(subject: MessageInput | MessageDefinition, second?: unknown, ...rest: unknown[]) {
      if (!isDefinition(subject)) {
        mustBeAll(rest, 'dispatch(message, options)')
        return dispatcher().dispatch(subject, second as DispatchOptions | undefined)
      }
      const [options, ...more] = rest
      mustBeAll(more, 'dispatch(definition, payload, options)')
      return dispatcher().dispatch(subject.create(second) as MessageInput, options as DispatchOptions | undefined)
    },
    async dispatchBatch(messages, options, ...more: unknown[]) {
      mustBeAll(more, 'dispatchBatch(messages, options)')
      return dispatcher().dispatchBatch(messages, options)
    },
    async dispatchToTransports(message, transports, options, ...more: unknown[]) {
      mustBeAll(more, 'dispatchToTransports(message, transports, options)')
      return dispatcher().dispatchToTransports(message, transports, options)
    },
    registerTransport(name, config, ...more: unknown[]) {
      mustBeAll(more, 'registerTransport(name, config)')
      dispatcher().registerTransport(name, config)
    },
    getDuplicateAttempts: (key) => awaitNative(async () => core.use().duplicateAttempts(text(key, 'idempotencyKey'))),
    getDispatcher: dispatcher,
    setDispatcher(dispatcher) {
      current = dispatcher ?? usual
    },
  }
}
