/** The events of a worker. */
import { EventEmitter } from 'node:events'
import type { Log } from '../base/logger.js'
import { emitSafely } from '../base/safely.js'
import type { ConsumeResult } from './consumer.js'

/** A message that an event is about. */
export interface MessageEvent {
  /** The message's id. */
  id: string
  /** Its type. */
  type: string
  /** The transport it came from. */
  transport: string
  /** Failed runs before this one. */
  retryCount: number
  /** Milliseconds until it runs again, if it does. */
  delay?: number
  /** The handler's reason, if it discarded the message. */
  reason?: string
  /** What went wrong, if anything did. */
  error?: { class: string; message: string }
}

/** A circuit breaker that opened. */
export interface CircuitEvent {
  /** The message type. */
  type: string
  /** Runs that were counted. */
  runs: number
  /** Those of them that failed. */
  failures: number
  /** The class of the last error. */
  reason: string | null
  /** Milliseconds until one message is tried. */
  delay: number
}

/** Event names, and the arguments of their listeners. */
export interface WorkerEvents {
  /** The worker has started. */
  started: []
  /** Messages were claimed. */
  claimed: [event: { count: number }]
  /** All handlers of a message succeeded. */
  completed: [event: MessageEvent]
  /** A message failed and will run again. */
  retried: [event: MessageEvent]
  /** A message failed for good, here or in processes that died with it (then the error class is `WorkerCrash`). */
  deadLettered: [event: MessageEvent]
  /** A message was handed back without using up an attempt. */
  released: [event: MessageEvent]
  /** A handler postponed a message with `snooze()`. */
  snoozed: [event: MessageEvent]
  /** A handler finished a message with `discard()`. */
  discarded: [event: MessageEvent]
  /** The lease of a message was lost; its outcome was dropped. */
  lost: [event: MessageEvent]
  /** The circuit breaker of a message type opened through this worker: the type is paused. */
  circuitOpened: [event: CircuitEvent]
  /** A message of a paused type was tried here and handled: the type is back. */
  circuitClosed: [event: { type: string }]
  /** Nothing is due. */
  idle: []
  /** The transport failed; the worker keeps trying. Logged if nobody listens. */
  error: [error: { code: string; message: string }]
  /** The worker has ended. */
  stopped: [result: ConsumeResult]
}

const MESSAGE_EVENTS = ['completed', 'retried', 'deadLettered', 'released', 'snoozed', 'discarded', 'lost'] as const

/** An event emitter with typed events, whose listeners cannot break the emitter. */
export class WorkerEmitter {
  readonly #emitter = new EventEmitter()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Calls `listener` at each event of the name. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: (...event: WorkerEvents[Name]) => void): this {
    this.#emitter.on(name, listener as (...event: unknown[]) => void)
    this.listenersChanged()
    return this
  }

  /** Calls `listener` at the next event of the name. */
  once<Name extends keyof WorkerEvents>(name: Name, listener: (...event: WorkerEvents[Name]) => void): this {
    this.#emitter.once(name, listener as (...event: unknown[]) => void)
    this.listenersChanged()
    return this
  }

  /** Ends {@link on}. */
  off<Name extends keyof WorkerEvents>(name: Name, listener: (...event: WorkerEvents[Name]) => void): this {
    this.#emitter.off(name, listener as (...event: unknown[]) => void)
    this.listenersChanged()
    return this
  }

  /** Whether anyone listens to events about single messages. */
  protected get observesMessages(): boolean {
    return MESSAGE_EVENTS.some((name) => this.#emitter.listenerCount(name) > 0)
  }

  /** Called when listeners were added or removed. */
  protected listenersChanged(): void {}

  protected emit<Name extends keyof WorkerEvents>(name: Name, ...event: WorkerEvents[Name]): void {
    if (name === 'error' && this.#emitter.listenerCount(name) === 0) {
      this.#log.current.error('the worker cannot reach its transport', event[0] as WorkerEvents['error'][0])
      return
    }
    emitSafely(this.#emitter, 'worker', name, event, this.#log)
  }
}
