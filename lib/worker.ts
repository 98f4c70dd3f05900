/** A long-lived consumer for a process of its own. */
import { type CheckedOptions, checkOptions, duration, flag } from './consume-options.js'
import { type ConsumeResult, Consumption, warnOfLostLeases } from './consumption.js'
import type { Duration } from './duration.js'
import { getRegistry } from './handlers/registry.js'
import { type UnhandledMessages, unhandledMessages } from './queue.js'
import { WorkerEmitter, type WorkerEvents } from './worker-events.js'
import { NOTHING, type WorkerHealth, type WorkerOptions, type WorkerState, type WorkerStats } from './worker-types.js'

/** A transport in trouble fails at every look, so an error older than this is over. */
const RECENT_MS = 60_000

const SIGNALS: NodeJS.Signals[] = ['SIGTERM', 'SIGINT']

/**
 * Handles messages until it is stopped.
 *
 * @example
 * const worker = new Worker({ maxConcurrency: 20 })
 * worker.on('deadLettered', ({ type, error }) => alert(type, error))
 * await worker.start()
 */
export class Worker extends WorkerEmitter {
  readonly #options: WorkerOptions
  readonly #checked: CheckedOptions & { pollInterval?: number; shutdownTimeout?: number } & {
    listen?: boolean
    handleSignals?: boolean
  }
  #consumption: Consumption | undefined
  #ended: Promise<ConsumeResult> | undefined
  #state: WorkerState = 'idle'
  #startedAt = 0
  #lastError: WorkerHealth['lastError'] = null

  /** @throws ConfigurationError naming an option that does not fit. */
  constructor(options: WorkerOptions = {}) {
    super()
    this.#options = options
    this.#checked = this.#check()
  }

  /** Starts, and resolves with what was done when the worker has stopped. Called again while it runs, the same promise. */
  start(): Promise<ConsumeResult> {
    if (this.#state === 'running' || this.#state === 'stopping') return this.#ended as Promise<ConsumeResult>
    this.#ended = this.#live()
    return this.#ended
  }

  /**
   * Stops: no more claims, unstarted messages go back, running handlers may end.
   *
   * @param options.timeout how long they may take, in place of `shutdownTimeout`; then they are handed back.
   * @param options.force hands them back at once.
   * @returns what the worker did; `undefined` when it never started.
   */
  async stop(options: { timeout?: Duration; force?: boolean } = {}): Promise<ConsumeResult | undefined> {
    const timeout = options.timeout === undefined ? undefined : duration(options.timeout, 'timeout')
    if (this.#state === 'running' || this.#state === 'stopping') this.#stop('stopped', options.force)
    const timer = timeout === undefined ? undefined : setTimeout(() => this.#stop('stopped', true), timeout)
    try {
      return await this.#ended
    } finally {
      clearTimeout(timer)
    }
  }

  /** The figures so far. */
  stats(): WorkerStats {
    const counters = this.#consumption?.counters() ?? NOTHING
    return {
      ...counters,
      state: this.#state,
      running: this.#consumption?.runner.running ?? 0,
      averageProcessingTime: counters.runs === 0 ? 0 : counters.handlerMillis / counters.runs,
      uptime: this.#uptime(),
    }
  }

  /** How the worker is, and whether messages wait that nobody here handles. */
  async health(): Promise<WorkerHealth> {
    const running = this.#state === 'running'
    const unhandled = await unhandledMessages(this.#options.registry ?? getRegistry()).catch((error: Error) => error)
    const problems = this.#problems(unhandled)
    return {
      status: !running || this.#recentError() !== null ? 'unhealthy' : problems.length > 0 ? 'degraded' : 'healthy',
      state: this.#state,
      running,
      processing: this.#consumption?.runner.running ?? 0,
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
    const extra = { pollInterval: duration, shutdownTimeout: duration, listen: flag, handleSignals: flag }
    return checkOptions(this.#options, extra)
  }

  async #live(): Promise<ConsumeResult> {
    const { pollInterval, shutdownTimeout, listen } = this.#checked
    // Checked again: a deadline has come nearer since the constructor.
    this.#consumption = new Consumption('run', this.#check(), {
      pollInterval,
      listen,
      shutdownTimeout,
      onEvents: (events) => this.#pass(events),
      observeMessages: this.observesMessages,
    })
    this.#state = 'running'
    this.#startedAt = Date.now()
    const forgetSignals = this.#checked.handleSignals === false ? () => undefined : this.#listenToSignals()
    try {
      this.emit('started')
      const result = await this.#consumption.run()
      this.emit('stopped', result)
      return result
    } finally {
      forgetSignals()
      this.#state = 'stopped'
    }
  }

  protected override listenersChanged(): void {
    if (this.#state === 'running') this.#consumption?.observeMessages(this.observesMessages)
  }

  #stop(reason: 'signal' | 'stopped', force = false): void {
    this.#state = 'stopping'
    this.#consumption?.stop(reason, force)
  }

  #listenToSignals(): () => void {
    const stop = (): void => this.#stop('signal', this.#state === 'stopping')
    for (const signal of SIGNALS) process.on(signal, stop)
    return () => {
      for (const signal of SIGNALS) process.off(signal, stop)
    }
  }

  #pass(events: string): void {
    for (const { event, ...facts } of JSON.parse(events) as Array<{ event: keyof WorkerEvents | 'leaseLost' }>) {
      if (event === 'leaseLost') {
        warnOfLostLeases((facts as unknown as { count: number }).count)
        continue
      }
      if (event === 'error') this.#lastError = { ...(facts as { code: string; message: string }), at: new Date() }
      this.emit(event, facts as never)
    }
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
    return error !== null && Date.now() - error.at.getTime() < RECENT_MS ? error : null
  }

  #uptime(): number {
    return this.#startedAt === 0 ? 0 : Date.now() - this.#startedAt
  }
}
