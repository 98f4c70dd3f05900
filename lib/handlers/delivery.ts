/** What crosses the border between the core and the handlers. */
import type { MessageHeaders, MessageMetadata } from '../message/message.js'

/** A claimed message as the core delivers it. Times in milliseconds since the epoch. */
export interface Delivery {
  id: string
  type: string
  transport: string
  queue: string
  priority: number
  payload: Record<string, unknown>
  headers: MessageHeaders
  metadata: MessageMetadata
  createdAt: number
  availableAt: number
  scheduledAt: number | null
  retryCount: number
  maxRetries: number
  idempotencyKey: string | null
  /** Identities of the handlers that succeeded in an earlier run: see `readHandled`. */
  handled: string[]
  /** How often a process died while it ran this message. */
  crashes: number
}

/** Messages claimed together. */
export interface DeliveryBatch {
  batch: number
  messages: Delivery[]
}

/** What was thrown, as it is stored. */
export interface ErrorReport {
  class: string
  message: string
  /** Where it was thrown, without the message: a few frames, and the errors that caused it. */
  stack?: string
  code?: string
}

/** How a run ended, unless it simply succeeded. */
export type Settlement =
  | { as: 'failed'; retryable: boolean; retryAfter: number | null; error: ErrorReport; handled: string[] }
  | { as: 'snoozed'; delay: number; handled?: string[] }
  | { as: 'discarded'; reason: string }
  | { as: 'released'; delay?: number; handled?: string[] }

/** One line of a settlement: batch, index in it, duration in milliseconds, and the outcome if it is not "completed". */
export type SettlementLine = [batch: number, index: number, duration: number, outcome?: Settlement]
