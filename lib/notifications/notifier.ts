/**
 * Notifies the channels about failures, once for many: counted in this process and admitted by the database, so that
 * fifty invocations that see the same error send one notification.
 */

import type { Log } from '../base/logger.js'
import { duration, must, mustBeKnown } from '../base/options.js'
import type { Failure, FailureObserver } from '../consume/failures.js'
import type { Core } from '../core/core.js'
import { reportError } from '../handlers/error-report.js'
import type { Notification, NotificationChannel, NotificationOptions, NotificationSeverity } from './model.js'

interface Pending extends Failure {
  count: number
}

interface Answer {
  admitted: boolean
  occurrences: number
  suppressed: number
}

/** Pause between two queries about one class and type: what happens meanwhile is counted here. */
const ASK_MS = 1_000
/** How long a channel may take. */
const SEND_MS = 5_000
/** How long an invocation waits at its end for notifications under way. */
const FAREWELL_MS = 2_000

/** Who is told about failures of an instance. */
export interface NotificationFunctions {
  /**
   * Configures who is notified about failures; without an argument nobody is, which is the default.
   *
   * @throws ConfigurationError naming the invalid option.
   */
  configureNotifications(options?: NotificationOptions): void
}

/** Notes failures where somebody wants to know. */
export class Notifications implements NotificationFunctions, FailureObserver {
  readonly #core: Core
  readonly #log: Log
  #notifier: Notifier | undefined

  constructor(core: Core, log: Log) {
    this.#core = core
    this.#log = log
  }

  readonly configureNotifications = (options?: NotificationOptions): void => {
    this.#notifier = options === undefined ? undefined : new Notifier(options, this.#core, this.#log)
  }

  note(failure: Failure): void {
    this.#notifier?.note(failure)
  }

  async settle(): Promise<void> {
    await this.#notifier?.settle()
  }
}

const OPTIONS = ['channels', 'minimumSeverity', 'threshold', 'window', 'throttle']

class Notifier {
  readonly #channels: NotificationChannel[]
  readonly #minimum: NotificationSeverity
  readonly #gate: { threshold: number; window: number; throttle: number }
  readonly #pending = new Map<string, Pending>()
  /** Queried a moment ago. What happens meanwhile is pending, and reported when the pause is over. */
  readonly #resting = new Set<string>()
  readonly #underWay = new Set<Promise<void>>()

  readonly #core: Core
  readonly #log: Log

  constructor(options: NotificationOptions, core: Core, log: Log) {
    mustBeKnown(options, OPTIONS)
    const { channels, minimumSeverity = 'error', threshold = 1, window, throttle } = options
    this.#core = core
    this.#log = log
    const isWhole = Number.isSafeInteger(threshold) && threshold >= 1
    this.#channels = must(Array.isArray(channels), 'channels', channels, 'an array of channels', channels)
    this.#minimum = minimumSeverity
    this.#gate = {
      threshold: must(isWhole, 'threshold', threshold, 'a whole number from 1', threshold),
      window: duration(window ?? '5m', 'window'),
      throttle: duration(throttle ?? '15m', 'throttle'),
    }
  }

  note(failure: Failure): void {
    if (this.#minimum === 'error' && failure.severity !== 'error') return
    const key = `${failure.severity} ${failure.messageType} ${failure.errorClass}`
    const count = (this.#pending.get(key)?.count ?? 0) + 1
    this.#pending.set(key, { ...failure, count })
    if (!this.#resting.has(key)) this.#start(key)
  }

  async settle(): Promise<void> {
    for (const key of this.#pending.keys()) this.#start(key)
    const all = Promise.allSettled([...this.#underWay])
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS)
    })
    await Promise.race([all, late])
    clearTimeout(timer)
  }

  #start(key: string): void {
    this.#rest(key)
    // Outside the slot of the failed handler: others fail in the same turn, and are included.
    const telling = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#tell(key))
    this.#underWay.add(telling)
    void telling.finally(() => this.#underWay.delete(telling))
  }

  #rest(key: string): void {
    if (this.#resting.has(key)) return
    this.#resting.add(key)
    const wake = (): void => {
      this.#resting.delete(key)
      if (this.#pending.has(key)) this.#start(key)
    }
    setTimeout(wake, ASK_MS).unref()
  }

  async #tell(key: string): Promise<void> {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    this.#pending.delete(key)
    const { count, ...failure } = pending
    const answer = await this.#admit(key, count)
    if (!answer.admitted) return
    const what = failure.severity === 'error' ? 'became a dead letter' : 'failed and will run again'
    const title = `${failure.messageType} ${what}: ${failure.errorClass}`
    const { occurrences, suppressed } = answer
    const notification = { ...failure, title, occurrences, suppressed, at: new Date().toISOString() }
    await Promise.all(this.#channels.map((channel) => this.#deliver(channel, notification)))
  }

  /** Without a database to ask, this process decides for itself: better two notifications than none. */
  async #admit(key: string, occurrences: number): Promise<Answer> {
    const asked = JSON.stringify({ key: key.replaceAll('\0', ''), occurrences, ...this.#gate })
    const alone = { admitted: true, occurrences, suppressed: 0 }
    try {
      return (await this.#core.ask<Answer | null>((core) => core.admitNotification(asked))) ?? alone
    } catch {
      return alone
    }
  }

  async #deliver(channel: NotificationChannel, notification: Notification): Promise<void> {
    if (channel.minimumSeverity === 'error' && notification.severity !== 'error') return
    const signal = AbortSignal.timeout(SEND_MS)
    try {
      await Promise.race([channel.send(notification, signal), aborted(signal)])
    } catch (error) {
      const { class: name, message } = reportError(error)
      this.#log.current.error('a notification could not be sent', {
        channel: channel.name,
        reason: `${name}: ${message}`,
      })
    }
  }
}

/** Rejects when the time of a channel is up, in case it ignores its signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
