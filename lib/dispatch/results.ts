/** The core's answers, as results or as errors. */

import { type NativeFailure, toError } from '../core/native-error.js'
import type { InlineErrors } from './inline-errors.js'
import type {
  BatchResult,
  DispatchResult,
  DispatchStatus,
  FailedTransport,
  StoredMessage,
  TransportResult,
} from './types.js'

/** A stored message as the core writes it. */
export interface NativeStored {
  messageId: string
  status: DispatchStatus
  transport: string
  queue: string
  priority: number
  availableAt: number
  scheduledAt?: number | null
  /** Absent if none was given: then it is the message's id. */
  idempotencyKey?: string
}

/** What a message shares with the previous one of its batch is left out. */
type Brief = Pick<NativeStored, 'messageId'> & Partial<NativeStored>
type NativeCopy = NativeStored | { transport: string; error: NativeFailure }

/** What the core answers to one request. */
export type NativeAnswer = { ok: Brief & { messages?: NativeCopy[] } } | { error: NativeFailure }

/** What happened to one request. */
export type Sent = { ok: StoredMessage; copies: NativeCopy[] | undefined } | { error: NativeFailure }

/** The answers of the core to a batch, in order. */
export function readSent(text: string): Sent[] {
  const answers = JSON.parse(text) as NativeAnswer[]
  const last = {} as NativeStored
  return answers.map((answer) => {
    if ('error' in answer) return answer
    complete(last, answer.ok)
    return { ok: toStored(last), copies: answer.ok.messages }
  })
}

/** Turns the message before into this one. */
function complete(last: NativeStored, brief: Brief): void {
  last.messageId = brief.messageId
  last.status = brief.status ?? last.status
  last.transport = brief.transport ?? last.transport
  last.queue = brief.queue ?? last.queue
  last.priority = brief.priority ?? last.priority
  last.availableAt = brief.availableAt ?? last.availableAt
  last.scheduledAt = brief.scheduledAt
  last.idempotencyKey = brief.idempotencyKey
}

/**
 * The result of a dispatch.
 *
 * @param thrown where handlers that ran inside dispatches left what they threw.
 * @throws the handler's own error if a handler failed inside `dispatch()`, else the core's as its class.
 */
export function unwrap(sent: Sent, thrown: InlineErrors): DispatchResult {
  if ('error' in sent) throw errorOf(sent.error, thrown)
  return { ...sent.ok, messages: entriesOf(sent, thrown) }
}

/** The result of one message of a batch. */
export function toBatchResult(sent: Sent, thrown: InlineErrors): BatchResult {
  if ('error' in sent) return { success: false, error: errorOf(sent.error, thrown) }
  const { messageId, status, transport, queue, priority, availableAt, idempotencyKey, scheduledAt } = sent.ok
  const messages = entriesOf(sent, thrown)
  // Written out: a spread would cost more than everything else here.
  const result: BatchResult = {
    success: true,
    messageId,
    status,
    transport,
    queue,
    priority,
    availableAt,
    idempotencyKey,
    messages,
  }
  if (scheduledAt !== undefined) result.scheduledAt = scheduledAt
  return result
}

/** The results of one message, one per transport. */
export function toTransportResults(result: DispatchResult): TransportResult[] {
  return result.messages.map((entry) => ('error' in entry ? { success: false, ...entry } : { success: true, ...entry }))
}

function entriesOf({ ok, copies }: Extract<Sent, { ok: unknown }>, thrown: InlineErrors): DispatchResult['messages'] {
  return copies?.map((entry) => toEntry(entry, thrown)) ?? [ok]
}

function toEntry(entry: NativeCopy, thrown: InlineErrors): StoredMessage | FailedTransport {
  return 'error' in entry ? { transport: entry.transport, error: errorOf(entry.error, thrown) } : toStored(entry)
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

/** A handler may throw anything, so the type of this error is only a convention. */
function errorOf(failure: NativeFailure, thrown: InlineErrors): Error {
  const messageId = (failure.details as { messageId?: string } | null | undefined)?.messageId
  const own = messageId === undefined ? undefined : thrown.take(messageId)
  return own === undefined ? toError(failure) : (own.error as Error)
}
