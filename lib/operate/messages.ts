/** Messages as operators see them: listed, found, cancelled. */

import { type Because, becauseText } from '../base/because.js'
import { shownDate } from '../base/instant.js'
import { type Check, checked, flag, instant, oneOf, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { type MessageContents, type MessageOutline, type NativeContents, readContents } from './contents.js'

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
  /** Whether to tell all that the messages hold, and not only outlines. Default false. */
  full?: boolean
}

/** What is known of a message beside what it holds. A date is invalid if it was written by hand and no calendar has it. */
export interface MessageRecord {
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
  /** When it was claimed for the run that is under way, or was the last. Not known of dead letters. */
  startedAt: Date | null
  /** The id of the worker or invocation that claimed it then. */
  workerId: string | null
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
  /** The caller's key, if any. */
  idempotencyKey: string | null
  /** The id of its dead letter, if `status` is `'failed'`. */
  failedMessageId: string | null
}

/** A message as the queue stores it. */
export interface QueuedMessage extends MessageRecord, MessageContents {}

/** A message in a list: with an outline of what it holds. */
export interface ListedMessage extends MessageRecord, MessageOutline {}

/** A page of messages, newest first. */
export interface MessagePage<Message = ListedMessage> {
  /** The messages; possibly fewer than requested, although more follow. */
  messages: Message[]
  /** For the next page; `null` on the last page. */
  nextCursor: string | null
  /** If the page ended because it had examined 10,000 messages: those since then. Otherwise `null`. */
  searchedTo: Date | null
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
   * and `nextCursor` leads to more. It also ends early once its messages hold some 64 MiB.
   *
   * Lists show outlines, because a thousand payloads may be a gigabyte. With `full: true` they show all, and
   * {@link getMessage} does.
   *
   * @throws ConfigurationError naming the invalid option, `SYMPHONY_UNKNOWN_OPTION` for one that does not exist,
   * `SYMPHONY_INVALID_QUERY` with the place in the query; SerializationError for an invalid cursor.
   */
  listMessages(options: MessagePageOptions & { full: true }): Promise<MessagePage<QueuedMessage>>
  listMessages(options?: MessagePageOptions & { full?: false }): Promise<MessagePage>

  /** One message, in any state; `null` if the id is unknown, or the message is not kept any more. */
  getMessage(id: string): Promise<QueuedMessage | null>

  /**
   * Cancels a message before it has run. One that is being handled, or is finished, stays as it is.
   *
   * Its idempotency key is free again, except that of a scheduled run.
   *
   * @param because who and why, for the audit.
   */
  cancelMessage(id: string, because?: Because): Promise<Cancellation>
}

/** The functions over a core. */
export function messageFunctions(core: Core): MessageFunctions {
  function listMessages(options: MessagePageOptions & { full: true }): Promise<MessagePage<QueuedMessage>>
  function listMessages(options?: MessagePageOptions & { full?: false }): Promise<MessagePage>
  async function listMessages(options: MessagePageOptions = {}): Promise<MessagePage<ListedMessage | QueuedMessage>> {
    const filter = JSON.stringify(checked(options, { ...MESSAGE_FILTER, ...PAGE }))
    const page = await core.ask<NativePage>((it) => it.listMessages(filter))
    return {
      messages: page.messages.map(toMessage),
      nextCursor: page.nextCursor,
      searchedTo: page.searchedTo === null ? null : new Date(page.searchedTo),
    }
  }
  return {
    listMessages,
    async getMessage(id: string): Promise<QueuedMessage | null> {
      const found = await core.ask<NativeMessage | null>((it) => it.getMessage(text(id, 'id')))
      return found === null ? null : (toMessage(found) as QueuedMessage)
    },
    async cancelMessage(id: string, because?: Because): Promise<Cancellation> {
      const said = becauseText(because)
      const answer = await core.ask<Cancellation | null>((it) => it.cancelMessage(text(id, 'id'), said))
      return answer ?? { cancelled: false, status: null }
    },
  }
}

type Instants = 'createdAt' | 'availableAt' | 'scheduledAt' | 'startedAt' | 'finishedAt'

type NativeMessage = Omit<MessageRecord, Instants> & Record<Instants, number | null> & NativeContents

interface NativePage {
  messages: NativeMessage[]
  nextCursor: string | null
  searchedTo: number | null
}

function toMessage(native: NativeMessage): ListedMessage | QueuedMessage {
  const { createdAt, availableAt, scheduledAt, startedAt, finishedAt } = native
  return {
    ...native,
    ...readContents(native),
    createdAt: shownDate(createdAt),
    availableAt: shownDate(availableAt),
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    startedAt: startedAt === null ? null : new Date(startedAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
  }
}

/** The checks of a {@link MessageFilter}. */
export const MESSAGE_FILTER: Record<keyof MessageFilter, Check> = {
  type: words,
  transport: words,
  queue: words,
  status: oneOf('pending', 'processing', 'completed', 'discarded', 'cancelled'),
  priority: whole(1, 10),
  text: words,
  createdAfter: instant,
  createdBefore: instant,
  query: words,
}

const PAGE = { limit: whole(1, 1_000), cursor: words, full: flag }
