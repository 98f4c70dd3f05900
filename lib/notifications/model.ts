/** What is told about failures, to whom and how often. */
import type { Duration } from '../base/duration.js'

/** `warning`: a message failed and runs again; `error`: it is a dead letter. */
export type NotificationSeverity = 'warning' | 'error'

/** What a channel gets. */
export interface Notification {
  /** How bad it is. */
  severity: NotificationSeverity
  /** In words. */
  title: string
  /** The message type. */
  messageType: string
  /** The class of the error. */
  errorClass: string
  /** The last message it happened to. */
  messageId: string
  /** The transport of that message. */
  transport: string
  /** How often it happened within the window, over all processes. */
  occurrences: number
  /** Of how many nobody was told since the last notification. */
  suppressed: number
  /** When, as ISO 8601. */
  at: string
}

/** A way to tell somebody. */
export interface NotificationChannel {
  /** For log lines. */
  name: string
  /** Only from this severity on, over `minimumSeverity`. */
  minimumSeverity?: NotificationSeverity
  /** Tells; a rejection is logged and changes nothing for the message. The signal is aborted after 5 s. */
  send(notification: Notification, signal: AbortSignal): Promise<unknown>
}

/** How failures are told. */
export interface NotificationOptions {
  /** Who is told. */
  channels: NotificationChannel[]
  /** From this severity on. Default `error`. */
  minimumSeverity?: NotificationSeverity
  /** From so many failures of one class and message type within `window` on. Default 1. */
  threshold?: number
  /** Within which failures are counted. Default 5 min. */
  window?: Duration
  /** How long nobody is told again about one class and message type. Default 15 min. */
  throttle?: Duration
}
