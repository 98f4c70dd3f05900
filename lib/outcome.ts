/** The core's answer to one request, as result or as error. */
import type {
  BatchResult,
  DispatchResult,
  DispatchStatus,
  FailedTransport,
  StoredMessage,
  TransportResult,
} from './dispatch-types.js'
import { takeInlineError } from './inline-errors.js'
import { type NativeFailure, toError } from './native-error.js'

/** A stored message as the core writes it. */
export interface NativeStored {
  messageId: string
  status: DispatchStatus
  transport: string
  queue: string
  priority: number
  availableAt: number
  scheduledAt?: number | null
  /** Absent where none was given: then the message's id stands for it. */
  idempotencyKey?: string
}

/** What the core answers to one request. */
export type NativeOutcome =
  | { ok: NativeStored & { messages?: Array<NativeStored | { transport: string; error: NativeFailure }> } }
  | { error: NativeFailure }

/**
 * The result of a dispatch.
 *
 * @throws the handler's own error where a handler failed inside `dispatch()`, else the core's as its class.
 */
export function unwrap(outcome: NativeOutcome): DispatchResult {
  if ('error' in outcome) throw errorOf(outcome.error)
  return toResult(outcome)
}

/** The result of one message of a batch. */
export function toBatchResult(outcome: NativeOutcome): BatchResult {
  if ('error' in outcome) return { success: false, error: errorOf(outcome.error) }
  return { success: true, ...toResult(outcome) }
}

/** The results of one message, a transport each. */
export function toTransportResults(result: DispatchResult): TransportResult[] {
  return result.messages.map((entry) => ('error' in entry ? { success: false, ...entry } : { success: true, ...entry }))
}

function toResult({ ok }: Extract<NativeOutcome, { ok: unknown }>): DispatchResult {
  const stored = toStored(ok)
  return { ...stored, messages: ok.messages?.map(toEntry) ?? [stored] }
}

function toEntry(entry: NativeStored | { transport: string; error: NativeFailure }): StoredMessage | FailedTransport {
  return 'error' in entry ? { transport: entry.transport, error: errorOf(entry.error) } : toStored(entry)
}

function toStored(native: NativeStored): StoredMessage {
  const stored: StoredMessage = {
    messageId: native.messageId,
    status: native.status,
    transport: native.transport,
    queue: native.queue,
    priority: native.priority,
    availableAt: new Date(native.availableAt),
    idempotencyKey: native.idempotencyKey ?? native.messageId,
  }
  if (native.scheduledAt != null) stored.scheduledAt = new Date(native.scheduledAt)
  return stored
}

/** The error that a handler threw inside this dispatch may be anything, so its type is a promise of convention. */
function errorOf(failure: NativeFailure): Error {
  const messageId = (failure.details as { messageId?: string } | null | undefined)?.messageId
  const thrown = messageId === undefined ? undefined : takeInlineError(messageId)
  return thrown === undefined ? toError(failure) : (thrown.error as Error)
}
