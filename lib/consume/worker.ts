/** A long-lived consumer. */

import { EventEmitter } from 'node:events'
import type { Duration } from '../base/duration.js'
import { SymphonyError } from '../base/errors.js'
import { mustBeEvent } from '../base/events.js'
import { duration, flag, mustBeKnown, positiveDuration } from '../base/options.js'
import { processLife } from '../base/process-life.js'
import { emitSafely } from '../base/safely.js'
import { endProcess, isSharedSignal, listenToSignals } from '../base/signals.js'
import { type ConsumeResult, Consumer, type ConsumerParts } from './consumer.js'
import { EVENTS, isMessageEvent, type WorkerEvents } from './events.js'
import { type CheckedOptions, checkOptions } from './options.js'
import { type UnhandledMessages, unhandledBy } from './unhandled.js'
import { NOTHING, type WorkerHealth, type WorkerOptions, type WorkerState, type WorkerStats } from './worker-model.js'

/** A transport in trouble fails at every poll, so an error older than this is over, whatever became of it. */
const RECENT_MS = 60_000

/** The time that the application has for its own shutdown, after `start()` has resolved. */
const EXIT_GRACE_MS = 5_000
/** The same, after a second signal. */
const FORCED_EXIT_GRACE_MS = 1_000

/** A signal that the worker has received. */
interface Signalled {
  signal: NodeJS.Signals
  /** Whether there were two. */
  forced: boolean
  /** Whether the application listens to it as well. */
  shared: boolean
}

/**
 * Handles messages until it is stopped.
 *
 * @example
 * const worker = new Worker({ maxConcurrency: 20 })
 * worker.on('deadLettered', ({ type, error }) => alert(type, error))
 * await worker.run()
 */
export class Worker extends EventEmitter<WorkerEvents> {
  readonly #parts: ConsumerParts
  readonly #options: WorkerOptions
  readonly #checked: CheckedOptions & {
    pollInterval?: number
    shutdownTimeout?: number
    exitGrace?: number | false
  } & {
    listen?: boolean
    handleSignals?: boolean
  }
  #consumer: Consumer | undefined
  #ended: Promise<ConsumeResult> | undefined
  #begun: Promise<void> | undefined
  #begin: () => void = () => undefined
  #state: WorkerState = 'idle'
  #startedAt = 0
  #signalled: Signalled | undefined
  #lastError: WorkerHealth['lastError'] = null
  #inTrouble = false

  /** @throws ConfigurationError naming the invalid option. */
  constructor(parts: ConsumerParts, options: WorkerOptions = {}) {
    super()
    this.#parts = parts
    this.#options = options
    this.#checked = this.#check()
    this.#watchListeners()
  }

  /**
   * Runs until it is stopped, by {@link stop}, or by SIGTERM or SIGINT unless `handleSignals` is false, and resolves with
   * what was done. While it runs, the same promise.
   */
  run(): Promise<ConsumeResult> {
    return this.#run(this.#checked.handleSignals ?? true)
  }

  #run(handleSignals: boolean): Promise<ConsumeResult> {
    if (this.#isActive) return this.#ended as Promise<ConsumeResult>
    this.#begun = new Promise((resolve) => {
      this.#begin = resolve
    })
    this.#ended = this.#live(handleSignals)
    return this.#ended
  }

  /**
   * Starts, and resolves once the worker runs: it has looked for messages. It ends by {@link stop}, with the event
   * `stopped`; should it fail, the event `error` says why. Signals are left to the application, unless `handleSignals` is
   * true. While it runs, this does nothing, and says so in the log.
   *
   * @throws as {@link run}, if it cannot run: a transport does not exist, tables are missing.
   */
  async start(): Promise<void> {
    if (this.#isActive) {
      this.#parts.log.current.warn('start() of a worker that runs already does nothing: for more, make another Worker')
      return this.#begun
    }
    const ended = this.#run(this.#checked.handleSignals ?? false)
    await Promise.race([this.#begun, ended])
    ended.catch((error: unknown) => this.#fail(error))
  }

  /**
   * Stops: claims nothing more, hands back messages that have not started, and lets running handlers finish.
   *
   * @param options.timeout how long they may take, instead of `shutdownTimeout`; then they are handed back.
   * @param options.force hands them back at once.
   * @returns what the worker did; `undefined` if it never started.
   */
  async stop(options: { timeout?: Duration; force?: boolean } = {}): Promise<ConsumeResult | undefined> {
    mustBeKnown(options, ['timeout', 'force'])
    const timeout = options.timeout === undefined ? undefined : duration(options.timeout, 'timeout')
    if (this.#isActive) this.#stop('stopped', options.force)
    const timer = timeout === undefined ? undefined : setTimeout(() => this.#stop('stopped', true), timeout)
    try {
      return await this.#ended
    } finally {
      clearTimeout(timer)
    }
  }

  /** The counters so far. */
  stats(): WorkerStats {
    const counters = this.#consumer?.counters() ?? NOTHING
    return {
      ...counters,
      state: this.#state,
      running: this.#consumer?.runner.running ?? 0,
      averageProcessingTime: counters.runs === 0 ? 0 : counters.handlerMillis / counters.runs,
      uptime: this.#uptime(),
    }
  }

  /** The health of the worker, and whether messages wait that nothing here handles. */
  async health(): Promise<WorkerHealth> {
    const running = this.#state === 'running'
    const unhandled = await this.#unhandled().catch((error: Error) => error)
    const problems = this.#problems(unhandled)
    return {
      status: !running || this.#recentError() !== null ? 'error' : problems.length > 0 ? 'warning' : 'ok',
      state: this.#state,
      running,
      processing: this.#consumer?.runner.running ?? 0,
      uptime: this.#uptime(),
      memoryUsage: process.memoryUsage.rss(),
      lastError: this.#lastError,
      unhandled: unhandled instanceof Error ? [] : unhandled,
      problems,
    }
  }

  /** `await using worker = new Worker()` stops it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #check(): CheckedOptions {
    const durations = { pollInterval: positiveDuration, shutdownTimeout: duration, exitGrace: durationOrFalse }
    return checkOptions(this.#options, { ...durations, listen: flag, handleSignals: flag })
  }

  async #live(handleSignals: boolean): Promise<ConsumeResult> {
    const { pollInterval, shutdownTimeout, listen } = this.#checked
    // Checked again: a deadline has come nearer since the constructor.
    this.#consumer = new Consumer(this.#parts, 'run', this.#check(), {
      pollInterval,
      listen,
      shutdownTimeout,
      onEvents: (events) => this.#pass(events),
      observeMessages: this.#observesMessages,
    })
    this.#state = 'running'
    this.#startedAt = Date.now()
    this.#signalled = undefined
    const forgetSignals = handleSignals ? this.#listenToSignals() : undefined
    try {
      this.#tell('started')
      const result = await this.#consumer.run()
      this.#tell('stopped', result)
      return result
    } finally {
      this.#endProcess()
      forgetSignals?.()
      this.#state = 'stopped'
    }
  }

  /** As of `EventEmitter`; without a name, all listeners of the application go. */
  override removeAllListeners(name?: keyof WorkerEvents): this {
    if (name !== undefined) return super.removeAllListeners(name)
    super.removeAllListeners()
    this.#watchListeners()
    return this
  }

  /** Listeners that come while it runs are heard of before they are there, those that go after. */
  #watchListeners(): void {
    const own: EventEmitter = this as unknown as EventEmitter
    own.on('newListener', (name) => {
      mustBeEvent('worker', name, EVENTS)
      this.#observe(isMessageEvent(name) || this.#observesMessages)
    })
    own.on('removeListener', () => this.#observe(this.#observesMessages))
  }

  #observe(wanted: boolean): void {
    if (this.#state === 'running') this.#consumer?.observeMessages(wanted)
  }

  get #observesMessages(): boolean {
    return this.eventNames().some(isMessageEvent)
  }

  get #isActive(): boolean {
    return this.#state === 'running' || this.#state === 'stopping'
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof SymphonyError ? thrown : new SymphonyError('SYMPHONY_INTERNAL', String(thrown))
    const { code, message } = error
    this.#note({ code, message })
    this.#tell('error', { code, message })
  }

  #note(error: { code: string; message: string }): void {
    this.#lastError = { ...error, at: new Date() }
    this.#inTrouble = true
  }

  /** Without `emit`, which throws what a listener throws, and if nobody listens to an error. */
  #tell<Name extends keyof WorkerEvents>(name: Name, ...event: WorkerEvents[Name]): void {
    if (name === 'error' && this.listenerCount('error') === 0) {
      const text = this.#isActive ? 'the worker cannot reach its transport' : 'the worker ended with an error'
      this.#parts.log.current.error(text, event[0] as WorkerEvents['error'][0])
      return
    }
    if (name === 'recovered' && this.listenerCount('recovered') === 0) {
      this.#parts.log.current.info('the worker works again')
      return
    }
    emitSafely(this, 'worker', name, event, this.#parts.log)
  }

  #stop(reason: 'signal' | 'stopped', force = false): void {
    this.#state = 'stopping'
    this.#consumer?.stop(reason, force)
  }

  #listenToSignals(): () => void {
    return listenToSignals((signal) => {
      const forced = this.#state === 'stopping'
      this.#signalled = { signal, forced, shared: isSharedSignal(signal) }
      this.#stop('signal', forced)
    })
  }

  /** After a signal: everything is handed back, and nothing left in the process is worth waiting for. */
  #endProcess(): void {
    const { exitGrace = EXIT_GRACE_MS } = this.#checked
    if (this.#signalled === undefined || exitGrace === false) return
    const { signal, forced, shared } = this.#signalled
    const { runner } = this.#consumer as Consumer
    endProcess(signal, forced ? Math.min(exitGrace, FORCED_EXIT_GRACE_MS) : exitGrace, {
      handlers: () => runner.running + processLife().strays,
      consumers: () => processLife().consumers,
      left: shared,
      log: this.#parts.log,
    })
  }

  #pass(events: string): void {
    this.#begin()
    for (const { event, ...facts } of JSON.parse(events) as Array<{ event: keyof WorkerEvents }>) {
      if (event === 'error') this.#note(facts as { code: string; message: string })
      if (event === 'recovered') this.#inTrouble = false
      this.#tell(event, ...([facts] as never))
    }
  }

  #unhandled(): Promise<UnhandledMessages[]> {
    return unhandledBy(this.#parts.core, this.#options.registry ?? this.#parts.registry)
  }

  #problems(unhandled: UnhandledMessages[] | Error): string[] {
    const error = this.#recentError()
    const problems = error === null ? [] : [error.message]
    if (unhandled instanceof Error) return [...problems, unhandled.message]
    return [
      ...problems,
      ...unhandled.map(({ type, count }) => `${count} messages of type ${type} wait, no handler here`),
    ]
  }

  #recentError(): WorkerHealth['lastError'] {
    const error = this.#lastError
    return this.#inTrouble && error !== null && Date.now() - error.at.getTime() < RECENT_MS ? error : null
  }

  #uptime(): number {
    return this.#startedAt === 0 ? 0 : Date.now() - this.#startedAt
  }
}

function durationOrFalse(value: unknown, key: string): unknown {
  return value === false ? value : duration(value, key)
}
