/** One consumer at work: the core claims and settles, a runner runs the handlers. */
import { AsyncResource } from 'node:async_hooks'
import type { Log } from '../base/logger.js'
import { processLife } from '../base/process-life.js'
import type { Configuration } from '../config/configuration.js'
import type { Core } from '../core/core.js'
import type { NativeConsumer } from '../core/native.js'
import { awaitNative, callNative } from '../core/native-error.js'
import type { HandlerRegistry } from '../handlers/registry.js'
import { openTelemetry } from '../tracing/open-telemetry.js'
import type { FailureObserver } from './failures.js'
import type { CheckedOptions } from './options.js'
import { Runner } from './runner.js'
import type { WaitingWarnings } from './waiting.js'

/** Why a consumer stopped. */
export type StoppedBy = 'empty' | 'messageLimit' | 'timeLimit' | 'failureLimit' | 'memoryLimit' | 'signal' | 'stopped'

/** What a consumer did. */
export interface ConsumeResult {
  /** Messages claimed. */
  claimed: number
  /** Messages whose handlers all succeeded. */
  succeeded: number
  /** Failed messages that will run again. */
  retried: number
  /** Failed messages that will not: they are dead letters now. */
  deadLettered: number
  /** Messages handed back without using up an attempt. */
  released: number
  /** Messages that their handler postponed with `snooze()`. */
  snoozed: number
  /** Messages that their handler finished with `discard()`. */
  discarded: number
  /** Outcomes dropped because the lease had been lost. */
  lost: number
  /** Milliseconds. */
  duration: number
  /** Due messages left. Counting stops at a cap, so there may be more. */
  queueDepth: number
  /** Whether nothing was left that has a handler here. Messages without one may still wait: `queueDepth` counts them. */
  drained: boolean
  /** Why it stopped. */
  stoppedBy: StoppedBy
}

/** The counters of a consumer at work. */
export interface ConsumerCounters extends Omit<ConsumeResult, 'duration' | 'queueDepth' | 'drained' | 'stoppedBy'> {
  /** Messages held now: claimed, and not yet settled. */
  inFlight: number
  /** Messages whose handlers ended, well or badly. */
  runs: number
  /** The sum of their durations, in milliseconds. */
  handlerMillis: number
}

/** Options of a long-lived worker only. */
export interface ConsumerExtras {
  pollInterval?: number
  listen?: boolean
  shutdownTimeout?: number
  /** Takes events, as JSON; without it the core builds none. */
  onEvents?: (events: string) => void
  /** Whether events about single messages are wanted too. */
  observeMessages?: boolean
}

/** Memory is checked at most this often: reading it costs a system call. */
const MEMORY_LOOK_MS = 100

/** When a worker looks for messages that wait without a handler, and how often. */
const FIRST_LOOK_MS = 1_000
const LOOK_EVERY_MS = 60_000

/** How long a handler runs in a drain without a limit before a line says that the drain waits for it. */
const LONG_RUN_MS = 60_000

/** What a consumer works with. */
export interface ConsumerParts {
  readonly core: Core
  readonly configuration: Configuration
  /** The handlers, where the options name no others. */
  readonly registry: HandlerRegistry
  readonly failures: FailureObserver
  readonly waiting: WaitingWarnings
  readonly log: Log
}

/** A consumer, from its start to its result. */
export class Consumer {
  readonly runner: Runner
  readonly #consumer: NativeConsumer
  readonly #options: CheckedOptions
  readonly #parts: ConsumerParts
  readonly #mode: 'drain' | 'run'
  readonly #registry: HandlerRegistry
  #memoryLooked = 0

  constructor(parts: ConsumerParts, mode: 'drain' | 'run', options: CheckedOptions, extras: ConsumerExtras = {}) {
    const core = parts.core.use()
    const { worker } = parts.configuration.peek()
    this.#parts = parts
    this.#mode = mode
    this.#options = options
    this.#registry = options.registry ?? parts.registry
    this.runner = new Runner({
      log: parts.log,
      failures: parts.failures,
      registry: this.#registry,
      maxConcurrency: options.maxConcurrency ?? worker.maxConcurrency,
      handlerTimeout: worker.handlerTimeout,
      deadline: options.timeLimit === undefined ? null : Date.now() + options.timeLimit,
      unknown: ({ type, transport, queue }) => void parts.waiting.found(type, transport, queue, this.#registry),
      settle: (lines, more) => this.#consumer.settle(lines, more),
      afterSettle: () => this.#checkMemory(),
    })
    const asked = JSON.stringify(nativeOptions(mode, options, this.#registry.claimable(), extras))
    const receive = (command: string): void => {
      parts.log.refreshLevel()
      this.runner.receive(command)
    }
    // Called by the core, in no context; the spans of handlers belong to the consumer's.
    const deliver = openTelemetry() === undefined ? receive : AsyncResource.bind(receive)
    this.#consumer = callNative(() => core.consumer(asked, deliver, extras.onEvents ?? null))
  }

  /** Runs until the drain is over or it is stopped. */
  async run(): Promise<ConsumeResult> {
    if (!this.#registry.types().length) warnOfNoHandlers(this.#parts.log)
    const forgetRegistry = this.#registry.onChange(() => this.#renewTypes())
    const forgetSignal = this.#stopOn(this.#options.signal)
    const forgetWatch = this.#mode === 'run' ? this.#watchWaiting() : this.#watchHandlers()
    processLife().consumers += 1
    try {
      const result = toResult(await awaitNative(() => this.#consumer.run()))
      if (this.#mode === 'drain' && result.drained && result.queueDepth > 0) await this.#lookForWaiting()
      return result
    } finally {
      forgetWatch()
      forgetRegistry()
      forgetSignal()
      await this.#parts.failures.settle()
      processLife().consumers -= 1
    }
  }

  /** Stops claiming; running handlers end by themselves, or are handed back at once by `force`. */
  stop(reason: 'signal' | 'memoryLimit' | 'stopped', force = false): void {
    callNative(() => this.#consumer.stop(reason, force))
  }

  /** Sets whether events about single messages are wanted. */
  observeMessages(wanted: boolean): void {
    callNative(() => this.#consumer.observeMessages(wanted))
  }

  /** The counters so far. */
  counters(): ConsumerCounters {
    return JSON.parse(callNative(() => this.#consumer.stats())) as ConsumerCounters
  }

  /** Once the worker is at work, and then every minute. */
  #watchWaiting(): () => void {
    const look = (): void => void this.#lookForWaiting()
    const first = setTimeout(look, FIRST_LOOK_MS).unref()
    const others = setInterval(look, LOOK_EVERY_MS).unref()
    return () => {
      clearTimeout(first)
      clearInterval(others)
    }
  }

  /** One line about a handler for which a drain without a limit waits: it may never end. */
  #watchHandlers(): () => void {
    if (this.#options.timeLimit !== undefined) return () => undefined
    const look = (): void => {
      const longest = this.runner.longest()
      if (longest === undefined || longest.millis < LONG_RUN_MS) return
      clearInterval(timer)
      const { type, messageId, millis } = longest
      this.#parts.log.current.warn(
        `a handler has run for ${Math.round(millis / 1_000)} s, and this drain has no limit, so it waits for it: pass ` +
          'consumeBatch() a timeLimit, or give the handler a timeout',
        { messageType: type, messageId },
      )
    }
    const timer = setInterval(look, LONG_RUN_MS / 2).unref()
    return () => clearInterval(timer)
  }

  #lookForWaiting(): Promise<void> {
    return this.#parts.waiting.look(this.#registry)
  }

  #renewTypes(): void {
    this.#consumer.setTypes(JSON.stringify(this.#registry.claimable()))
  }

  #stopOn(signal: AbortSignal | undefined): () => void {
    const stop = (): void => this.stop('signal')
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
    return () => signal?.removeEventListener('abort', stop)
  }

  #checkMemory(): void {
    const { memoryLimit } = this.#options
    const now = performance.now()
    if (memoryLimit === undefined || now - this.#memoryLooked < MEMORY_LOOK_MS) return
    this.#memoryLooked = now
    if (process.memoryUsage.rss() > memoryLimit) this.stop('memoryLimit')
  }
}

/** What only {@link Consumer.counters} tells is left out. */
function toResult(text: string): ConsumeResult {
  const { inFlight: _, runs: __, handlerMillis: ___, ...result } = JSON.parse(text) as ConsumeResult & ConsumerCounters
  return result
}

function nativeOptions(
  mode: 'drain' | 'run',
  { transports, queues, batchSize, maxConcurrency, messageLimit, timeLimit, failureLimit }: CheckedOptions,
  types: string[] | null,
  { pollInterval, shutdownTimeout, listen, observeMessages = false }: ConsumerExtras,
): Record<string, unknown> {
  const limits = { batchSize, maxConcurrency, messageLimit, timeLimit, failureLimit }
  const { SYMPHONY_RELEASE, VERCEL_GIT_COMMIT_SHA } = process.env
  const release = SYMPHONY_RELEASE || VERCEL_GIT_COMMIT_SHA || undefined
  const pace = { pollInterval, shutdownTimeout, listen }
  return { mode, transports, queues, types, ...limits, ...pace, release, observe: observeMessages }
}

function warnOfNoHandlers(log: Log): void {
  log.current.warn(
    'no handler is registered, so nothing will be claimed: import the modules that call registerHandler()',
  )
}
