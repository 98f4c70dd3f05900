/** The events of a worker. */
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
  /** What went wrong, if anything did; `stack`: where it was thrown, if that is known. */
  error?: { class: string; message: string; stack?: string }
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
  /**
   * The transport failed, and the worker keeps trying; or a worker that `start()` has started ended with this error, and
   * its state is `stopped`. Logged if nobody listens.
   */
  error: [error: { code: string; message: string }]
  /** It works again after such errors: everything that had failed has succeeded since. Logged if nobody listens. */
  recovered: []
  /** The worker has ended. */
  stopped: [result: ConsumeResult]
}

/** Whether an event is about a single message: the core makes these only if somebody listens. */
export function isMessageEvent(name: unknown): boolean {
  return MESSAGE_EVENTS.includes(name as keyof WorkerEvents)
}

const MESSAGE_EVENTS: ReadonlyArray<keyof WorkerEvents> = [
  'completed',
  'retried',
  'deadLettered',
  'released',
  'snoozed',
  'discarded',
  'lost',
]

/** The names of all events. */
export const EVENTS: ReadonlyArray<keyof WorkerEvents> = [
  'started',
  'claimed',
  ...MESSAGE_EVENTS,
  'circuitOpened',
  'circuitClosed',
  'idle',
  'error',
  'recovered',
  'stopped',
]
