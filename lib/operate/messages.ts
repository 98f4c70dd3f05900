/** Messages as operators see them: listed, found, cancelled. */

import { shownDate } from '../base/instant.js'
import { type Check, checked, instant, oneOf, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { type FailedRun, failedRuns, type NativeFailedRun } from './failed-run.js'

/**
 * The state of a message: it waits, it is claimed, it was handled, its handler discarded it, an operator cancelled it,
 * or it is a dead letter.
 */
export type MessageStatus = 'pending' | 'processing' | 'completed' | 'discarded' | 'cancelled' | 'failed'

/** Which messages; every field narrows the selection, no field means all. */
export interface MessageFilter {
  /** Message type. */
  type?: string
  /** Transport. */
  transport?: string
  /** Queue. */
  queue?: string
  /** Their state. {@link listFailed} lists dead letters. */
  status?: Exclude<MessageStatus, 'failed'>
  /** 1 to 10. */
  priority?: number
  /** Text found in the payload or in the last error, ignoring case. */
  text?: string
  /** Dispatched at or after this instant. */
  createdAfter?: Date | number | string
  /** Dispatched at or before this instant. */
  createdBefore?: Date | number | string
  /** A query such as `type:Email* -queue:bulk payload.user.id:123`, see docs/search.md; at most 2,000 characters. */
  query?: string
}

/** Which page of the messages. */
export interface MessagePageOptions extends MessageFilter {
  /** How many: 50 by default, 1,000 at most. */
  limit?: number
  /** The `nextCursor` of the previous page. */
  cursor?: string
}

/** A message as the queue stores it. A date is invalid if it was written by hand and no calendar has it. */
export interface QueuedMessage {
  /** Its id. */
  id: string
  /** Its type. */
  type: string
  /** The transport it is in. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** Its state. */
  status: MessageStatus
  /** Its complete payload. */
  payload: Record<string, unknown>
  /** The caller's headers. */
  headers: MessageHeaders
  /** Its metadata. */
  metadata: MessageMetadata
  /** When it was dispatched. */
  createdAt: Date
  /** When it can be handled at the earliest. */
  availableAt: Date
  /** The instant the caller asked for, if any. */
  scheduledAt: Date | null
  /** When it finished, or became a dead letter. */
  finishedAt: Date | null
  /** Failed runs so far. */
  retryCount: number
  /** Retries allowed, if the caller specified them. */
  maxRetries: number | null
  /** How often a process died while it ran the message. */
  crashes: number
  /** The error of the last failed run, or why it was discarded. */
  lastError: string | null
  /** The errors of its runs, oldest first, 20 at most. */
  errorHistory: FailedRun[]
  /** The caller's key, if any. */
  idempotencyKey: string | null
  /** The id of its dead letter, if `status` is `'failed'`. */
  failedMessageId: string | null
}

/** A page of messages, newest first. */
export interface MessagePage {
  /** The messages; possibly fewer than requested, although more follow. */
  messages: QueuedMessage[]
  /** For the next page; `null` on the last page. */
  nextCursor: string | null
}

/** The result of a cancellation. */
export interface Cancellation {
  /** Whether this call cancelled the message. */
  cancelled: boolean
  /** The state of the message now; `null`: the id is unknown. */
  status: MessageStatus | null
}

/** Messages of an instance, for operators. */
export interface MessageFunctions {
  /**
   * Messages other than dead letters, newest first, page by page.
   *
   * One page examines at most 10,000 messages. If a filter matches few of them, a page has fewer than `limit`, or none,
   * and `nextCursor` leads to more.
   *
   * @throws ConfigurationError naming the invalid option, `SYMPHONY_UNKNOWN_OPTION` for one that does not exist,
   * `SYMPHONY_INVALID_QUERY` with the place in the query; SerializationError for an invalid cursor.
   */
  listMessages(options?: MessagePageOptions): Promise<MessagePage>

  /** One message, in any state; `null` if the id is unknown, or the message is not kept any more. */
  getMessage(id: string): Promise<QueuedMessage | null>

  /**
   * Cancels a message before it has run. One that is being handled, or is finished, stays as it is.
   *
   * Its idempotency key is free again, except that of a scheduled run.
   */
  cancelMessage(id: string): Promise<Cancellation>
}

/** The functions over a core. */
export function messageFunctions(core: Core): MessageFunctions {
  return {
    async listMessages(options: MessagePageOptions = {}): Promise<MessagePage> {
      const filter = JSON.stringify(checked(options, FILTER))
      const page = await core.ask<{ messages: NativeMessage[]; nextCursor: string | null }>((it) =>
        it.listMessages(filter),
      )
      return { messages: page.messages.map(toMessage), nextCursor: page.nextCursor }
    },
    async getMessage(id: string): Promise<QueuedMessage | null> {
      const found = await core.ask<NativeMessage | null>((it) => it.getMessage(text(id, 'id')))
      return found === null ? null : toMessage(found)
    },
    async cancelMessage(id: string): Promise<Cancellation> {
      const answer = await core.ask<Cancellation | null>((it) => it.cancelMessage(text(id, 'id')))
      return answer ?? { cancelled: false, status: null }
    },
  }
}

type Instants = 'createdAt' | 'availableAt' | 'scheduledAt' | 'finishedAt' | 'errorHistory'

type NativeMessage = Omit<QueuedMessage, Instants> & {
  createdAt: number | null
  availableAt: number | null
  scheduledAt: number | null
  finishedAt: number | null
  errorHistory: NativeFailedRun[]
}

function toMessage(native: NativeMessage): QueuedMessage {
  const { createdAt, availableAt, scheduledAt, finishedAt, errorHistory } = native
  return {
    ...native,
    createdAt: shownDate(createdAt),
    availableAt: shownDate(availableAt),
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
    errorHistory: failedRuns(errorHistory),
  }
}

const FILTER: Record<keyof MessagePageOptions, Check> = {
  type: words,
  transport: words,
  queue: words,
  status: oneOf('pending', 'processing', 'completed', 'discarded', 'cancelled'),
  priority: whole(1, 10),
  text: words,
  createdAfter: instant,
  createdBefore: instant,
  query: words,
  limit: whole(1, 1_000),
  cursor: words,
}
