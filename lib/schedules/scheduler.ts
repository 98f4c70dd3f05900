/** A long-lived scheduler, alone or beside a worker. */
import { EventEmitter } from 'node:events'
import { type Duration, parseDuration } from '../base/duration.js'
import { SymphonyError } from '../base/errors.js'
import { mustBeEvent } from '../base/events.js'
import { emitSafely } from '../base/safely.js'
import { listenToSignals } from '../base/signals.js'
import type { NativeScheduleWatch } from '../core/native.js'
import { mustBeKnown, refused } from './definition.js'
import { runDue, type ScheduleParts } from './schedules.js'
import type { RunDueResult } from './types.js'

/** How a scheduler works. */
export interface SchedulerOptions {
  /** The longest pause between two polls; 10 s by default. Changes without a notification wait this long. */
  pollInterval?: Duration
  /** Whether SIGTERM and SIGINT stop it; by default after `run()`, and not after `start()`. */
  handleSignals?: boolean
}

/** Event names, and the arguments of their listeners. */
export interface SchedulerEvents {
  /** It has started. */
  started: []
  /** Due schedules have been processed. */
  ran: [result: RunDueResult]
  /** A poll failed; it is retried. */
  error: [error: SymphonyError]
  /** It has ended. */
  stopped: []
}

/** What a scheduler works with. */
export interface SchedulerParts extends ScheduleParts {
  /** The running schedulers of the instance. */
  readonly running: Set<Scheduler>
}

/** The schedulers of an instance. */
export interface SchedulerFunctions {
  /**
   * A long-lived scheduler of this instance.
   *
   * @throws SchedulerError naming an option that does not fit.
   */
  createScheduler(options?: SchedulerOptions): Scheduler
}

/** The functions over the parts of a scheduler. */
export function schedulerFunctions(parts: SchedulerParts): SchedulerFunctions {
  return { createScheduler: (options) => new Scheduler(parts, options) }
}

const OPTIONS = ['pollInterval', 'handleSignals']

const EVENTS: ReadonlyArray<keyof SchedulerEvents> = ['started', 'ran', 'error', 'stopped']

/** The shortest pause between two polls: other schedulers may be working on what is due. */
const SHORTEST_PAUSE_MS = 20

/** The limit of `setTimeout`. */
const LONGEST_PAUSE_MS = 2 ** 31 - 1

/**
 * Runs schedules when they are due, until it is stopped. It sleeps until the next one, and is woken when a schedule
 * changes if the database URL keeps a session (LISTEN). Any number of them may run at once.
 *
 * @example
 * const scheduler = new Scheduler()
 * await scheduler.run()
 */
export class Scheduler extends EventEmitter<SchedulerEvents> {
  readonly #parts: SchedulerParts
  readonly #pollInterval: number
  readonly #handleSignals: boolean | undefined
  #ended: Promise<void> | undefined
  #begun: Promise<void> | undefined
  #stopping = false
  #woken = false
  #wake: () => void = () => undefined

  /** @throws SchedulerError naming the invalid option. */
  constructor(parts: SchedulerParts, options: SchedulerOptions = {}) {
    super()
    this.#parts = parts
    mustBeKnown(options, OPTIONS)
    const { pollInterval = '10s', handleSignals } = options
    const pause = parseDuration(pollInterval)
    if (pause === undefined || pause <= 0) throw refused('options.pollInterval', pollInterval, 'wants a duration')
    const own: EventEmitter = this as unknown as EventEmitter
    own.on('newListener', (name) => mustBeEvent('scheduler', name, EVENTS))
    this.#pollInterval = Math.min(pause, LONGEST_PAUSE_MS)
    this.#handleSignals = handleSignals
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.#ended !== undefined
  }

  /**
   * Runs until it is stopped, by {@link stop}, or by SIGTERM or SIGINT unless `handleSignals` is false. While it runs, the
   * same promise.
   */
  run(): Promise<void> {
    return this.#run(this.#handleSignals ?? true)
  }

  #run(handleSignals: boolean): Promise<void> {
    this.#ended ??= this.#live(handleSignals).finally(() => {
      this.#ended = undefined
    })
    return this.#ended
  }

  /**
   * Starts, and resolves once it runs: it has polled. It ends by {@link stop}, with the event `stopped`. Signals are left
   * to the application, unless `handleSignals` is true. While it runs, this does nothing, and says so in the log.
   */
  async start(): Promise<void> {
    if (this.running) {
      this.#parts.log.current.warn('start() of a scheduler that runs already does nothing')
      return this.#begun
    }
    const ended = this.#run(this.#handleSignals ?? false)
    await Promise.race([this.#begun, ended])
    ended.catch((thrown: unknown) => this.#fail(thrown))
  }

  /** Stops, and resolves when the current poll has ended. */
  async stop(): Promise<void> {
    this.#stopping = this.#ended !== undefined
    this.#wake()
    await this.#ended
  }

  /** `await using scheduler = new Scheduler()` stops it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #live(handleSignals: boolean): Promise<void> {
    const forgetSignals = handleSignals ? listenToSignals(() => void this.stop()) : undefined
    this.#parts.running.add(this)
    let watch: NativeScheduleWatch | undefined
    let begin: () => void = () => undefined
    this.#begun = new Promise((resolve) => {
      begin = resolve
    })
    try {
      this.#stopping = false
      this.#tell('started')
      while (!this.#stopping) {
        // Before the poll, so that no change falls between the two.
        watch ??= await this.#listen()
        const pause = await this.#look()
        begin()
        await this.#sleep(pause)
      }
    } finally {
      watch?.stop()
      this.#parts.running.delete(this)
      forgetSignals?.()
      this.#tell('stopped')
    }
  }

  /** Runs what is due; returns how long to sleep then. */
  async #look(): Promise<number> {
    try {
      const { nextRunIn, ...result } = await runDue(this.#parts, {})
      if (result.due > 0) this.#tell('ran', result)
      return Math.max(SHORTEST_PAUSE_MS, Math.min(nextRunIn ?? this.#pollInterval, this.#pollInterval))
    } catch (thrown) {
      this.#fail(thrown)
      return this.#pollInterval
    }
  }

  /** Notified of changes. Doing without is not a failure, because it also polls. */
  async #listen(): Promise<NativeScheduleWatch | undefined> {
    try {
      return await this.#parts.core.get().watchSchedules(() => {
        this.#woken = true
        this.#wake()
      })
    } catch {
      return undefined
    }
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof SymphonyError ? thrown : new SymphonyError('SYMPHONY_INTERNAL', String(thrown))
    this.#parts.log.current.error('schedules could not be run; they are tried again', {
      code: error.code,
      error: error.message,
    })
    this.#tell('error', error)
  }

  /** Not `emit`, which throws what a listener throws, and for an error without a listener. */
  #tell<Name extends keyof SchedulerEvents>(name: Name, ...event: SchedulerEvents[Name]): void {
    emitSafely(this, 'scheduler', name, event, this.#parts.log)
  }

  /** Sleeps, unless it was woken since the last time. */
  async #sleep(pause: number): Promise<void> {
    if (!this.#stopping && !this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#woken = false
    this.#wake = () => undefined
  }
}
