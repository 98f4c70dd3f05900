/** Which failures are reported, to whom and how often. */
import type { Duration } from '../base/duration.js'

/** `warning`: a message failed and runs again; `error`: it is a dead letter. */
export type NotificationSeverity = 'warning' | 'error'

/** What a channel gets. */
export interface Notification {
  /** Its severity. */
  severity: NotificationSeverity
  /** In words. */
  title: string
  /** The message type. */
  messageType: string
  /** The class of the error. */
  errorClass: string
  /** The last affected message. */
  messageId: string
  /** The transport of that message. */
  transport: string
  /** How often it happened within the window, in all processes. */
  occurrences: number
  /** How many failures since the last notification were not reported. */
  suppressed: number
  /** When, as ISO 8601. */
  at: string
}

/** A way to notify someone. */
export interface NotificationChannel {
  /** For log lines. */
  name: string
  /** The lowest severity for this channel; overrides `minimumSeverity`. */
  minimumSeverity?: NotificationSeverity
  /** Sends a notification. A rejection is logged and does not affect the message. The signal is aborted after 5 s. */
  send(notification: Notification, signal: AbortSignal): Promise<unknown>
}

/** How failures are reported. */
export interface NotificationOptions {
  /** Where notifications go. */
  channels: NotificationChannel[]
  /** The lowest severity. Default `error`. */
  minimumSeverity?: NotificationSeverity
  /** How many failures of one class and message type within `window` cause a notification. Default 1. */
  threshold?: number
  /** Period in which failures are counted. Default 5 min. */
  window?: Duration
  /** Pause before the next notification about one class and message type. Default 15 min. */
  throttle?: Duration
}
