/** From a message to one or several transports. */
import { brand, hasBrand } from '../base/brand.js'
import type { Configuration } from '../config/configuration.js'
import type { TransportConfig } from '../config/model.js'
import { runtimeManager } from '../config/runtime.js'
import type { Core } from '../core/core.js'
import type { NativeCore } from '../core/native.js'
import { awaitNative, fromNative } from '../core/native-error.js'
import { openTelemetry } from '../tracing/open-telemetry.js'
import { type Attributes, inDispatchSpan } from '../tracing/spans.js'
import { dispatchAll } from './batch.js'
import { GroupCommit } from './group-commit.js'
import type { InlineErrors } from './inline-errors.js'
import { mustBeReadable, prepare } from './prepare.js'
import { readSent, type Sent, toBatchResult, toTransportResults, unwrap } from './results.js'
import type {
  BatchItem,
  BatchOptions,
  BatchResult,
  Dispatcher,
  DispatchOptions,
  DispatchResult,
  MessageInput,
  TransportResult,
} from './types.js'

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly core: Core
  readonly configuration: Configuration
  /** Where handlers that run inside dispatches leave what they throw. */
  readonly inlineErrors: InlineErrors
  /** The group commit before each core that was made. */
  readonly groupCommits: GroupCommits
}

/** The group commit before the core: of its own for each core, so that what waits for a closed one does not go elsewhere. */
export class GroupCommits {
  #current: { core: NativeCore; commit: GroupCommit } | undefined

  /** The one before a core. */
  of(core: NativeCore): GroupCommit {
    if (this.#current?.core !== core) {
      this.#current = { core, commit: new GroupCommit((requests) => core.dispatch(requests)) }
    }
    return this.#current.commit
  }
}

/** The dispatcher over the native core. It is stateless. */
export class CoreDispatcher implements Dispatcher {
  static {
    brand(CoreDispatcher, 'SymphonyDispatcher')
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that was asked, which may be a subclass.
    return hasBrand(this, value)
  }

  readonly #parts: DispatcherParts

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** See `dispatch()`. */
  async dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult> {
    if (openTelemetry() === undefined) return this.#dispatch(message, options)
    return inDispatchSpan(String(message?.type), () => this.#dispatch(message, options), describeDispatch)
  }

  async #dispatch(message: MessageInput, options?: DispatchOptions): Promise<DispatchResult> {
    const prepared = prepare(message, options)
    const request = typeof prepared === 'string' ? prepared : await prepared
    const { core, groupCommits, inlineErrors } = this.#parts
    let sent: Sent
    try {
      sent = await groupCommits.of(core.use()).add(request)
    } catch (thrown) {
      throw fromNative(thrown)
    }
    return unwrap(sent, inlineErrors)
  }

  /** See `dispatchBatch()`. */
  async dispatchBatch(messages: Array<MessageInput | BatchItem>, options?: BatchOptions): Promise<BatchResult[]> {
    return inDispatchSpan('batch', () => dispatchAll(messages, options, this.#send), describeBatch)
  }

  readonly #send = async (requests: string): Promise<BatchResult[]> => {
    const { core, inlineErrors } = this.#parts
    const results = readSent(await awaitNative(async () => core.use().dispatch(requests)))
    return results.map((sent) => toBatchResult(sent, inlineErrors))
  }

  /** See `dispatchToTransports()`. */
  async dispatchToTransports(
    message: MessageInput,
    transports: string[],
    options: DispatchOptions = {},
  ): Promise<TransportResult[]> {
    mustBeReadable(options)
    return toTransportResults(await this.dispatch(message, { ...options, transport: transports }))
  }

  /** See `registerTransport()`. */
  registerTransport(name: string, config: TransportConfig): void {
    runtimeManager(this.#parts.configuration).setTransport(name, config)
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
