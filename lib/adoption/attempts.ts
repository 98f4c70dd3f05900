/** What happened to the dispatches of one call, for {@link withSymphonyFallback}. */

import { ConfigurationError, MessageValidationError, SymphonyError } from '../base/errors.js'
import type { BatchResult, Dispatcher, DispatchOptions, DispatchResult, MessageInput } from '../dispatch/types.js'
import type { Watcher } from '../dispatch/watcher.js'
import { extrasOf } from '../message/extras.js'

/** The wait before each repetition of a dispatch whose answer was lost, in milliseconds. */
const PAUSES = [100, 500, 2_000]

/** What happened to some dispatches. */
export class Attempts implements Watcher {
  /** Whether one is stored. */
  stored = false
  /** Whether one has failed before it was stored. */
  refused = false
  /** Whether one has failed, and may be stored. */
  maybeStored = false
  readonly #sleep: (milliseconds: number) => Promise<unknown>
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  constructor(sleep: (milliseconds: number) => Promise<unknown>) {
    this.#sleep = sleep
  }

  /** Waits for dispatches under way, and refuses later ones. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
  }

  /** A dispatcher that records what happens to what it dispatches. */
  watch(dispatcher: Dispatcher): Dispatcher {
    return {
      dispatch: (message, options) => this.#track(() => this.#dispatch(dispatcher, message, options)),
      dispatchBatch: (messages, options) =>
        this.#track(async () => this.#noteAll(await this.#note(dispatcher.dispatchBatch(messages, options)))),
      dispatchToTransports: (message, transports, options) =>
        this.#track(async () => {
          const results = await this.#note(dispatcher.dispatchToTransports(message, transports, options))
          this.stored = true
          return results
        }),
      registerTransport: (name, config) => dispatcher.registerTransport(name, config),
    }
  }

  #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) {
      const late =
        'withSymphonyFallback() is over, and the legacy path may have run: await every dispatch in viaSymphony'
      return Promise.reject(new ConfigurationError(late))
    }
    const running = work()
    this.#running.add(running)
    const forget = () => this.#running.delete(running)
    running.then(forget, forget)
    return running
  }

  async #dispatch(
    dispatcher: Dispatcher,
    message: MessageInput,
    options: DispatchOptions | undefined,
  ): Promise<DispatchResult> {
    const repeatable = keyOf(message, options) !== undefined
    for (let tries = 0; ; tries += 1) {
      try {
        const result = await dispatcher.dispatch(message, options)
        this.stored = true
        return result
      } catch (error) {
        const pause = PAUSES[tries]
        const lost = tries > 0 || isLost(error)
        if (!lost || !repeatable || pause === undefined) throw this.#failed(error, tries > 0)
        await this.#sleep(pause)
      }
    }
  }

  async #note<T>(dispatching: Promise<T>): Promise<T> {
    try {
      return await dispatching
    } catch (error) {
      throw this.#failed(error, false)
    }
  }

  #noteAll(results: BatchResult[]): BatchResult[] {
    for (const result of results) {
      if (result.success) this.stored = true
      else this.#failed(result.error, false)
    }
    return results
  }

  #failed(error: unknown, lostBefore: boolean): unknown {
    if (!lostBefore && isRefusal(error)) this.refused = true
    else this.maybeStored = true
    return error
  }
}

function keyOf(message: MessageInput, options: DispatchOptions | undefined): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const made = extrasOf(message)?.options as DispatchOptions | undefined
  return options?.idempotencyKey ?? message.idempotencyKey ?? made?.idempotencyKey
}

/** Whether the statement had been sent and its answer was lost: it may have been done. */
function isLost(error: unknown): boolean {
  return error instanceof SymphonyError && LOST.includes(error.code) && !isUnsent(error)
}

const LOST = ['SYMPHONY_CONNECTION_FAILED', 'SYMPHONY_TIMEOUT']

/** What the server or the package said before anything was stored. */
const REFUSED = [
  'SYMPHONY_AUTHENTICATION_FAILED',
  'SYMPHONY_CERTIFICATE_REFUSED',
  'SYMPHONY_DATABASE_MISSING',
  'SYMPHONY_MIGRATION_MISSING',
  'SYMPHONY_PERMISSION_DENIED',
  'SYMPHONY_QUERY_FAILED',
  'SYMPHONY_TRANSPORT_NOT_CAPABLE',
]

/** Whether it is certain that nothing was stored. */
function isRefusal(error: unknown): boolean {
  if (error instanceof MessageValidationError || error instanceof ConfigurationError) return true
  return error instanceof SymphonyError && (REFUSED.includes(error.code) || isUnsent(error))
}

function isUnsent(error: SymphonyError): boolean {
  return (error.details as { sent?: boolean } | null)?.sent === false
}
