/** Dead letters: messages that failed for good. */

import { BECAUSE, type Because } from '../base/because.js'
import { ConfigurationError } from '../base/errors.js'
import { shownDate } from '../base/instant.js'
import { type Check, checked, flag, instant, must, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { type MessageContents, type MessageOutline, type NativeContents, readContents } from './contents.js'

/** Which dead letters; every field narrows the selection, no field means all. */
export interface FailedFilter {
  /** Message type. */
  type?: string
  /** Transport. */
  transport?: string
  /** Queue. */
  queue?: string
  /** Class of the last error, such as `TypeError` or `WorkerCrash`. */
  errorClass?: string
  /** Text found in the error or in the payload, ignoring case. */
  text?: string
  /** Failed at or after this instant. */
  failedAfter?: Date | number | string
  /** Failed at or before this instant. */
  failedBefore?: Date | number | string
  /** These only. */
  ids?: string[]
  /** A query such as `type:Email* error:refused created:>-1h`, see docs/search.md; at most 2,000 characters. */
  query?: string
}

/** Which page of the dead letters. */
export interface FailedPageOptions extends FailedFilter {
  /** How many: 50 by default, 1,000 at most. */
  limit?: number
  /** The `nextCursor` of the previous page. */
  cursor?: string
  /** Whether to tell all that the dead letters hold, and not only outlines. Default false. */
  full?: boolean
}

/**
 * What is known of a dead letter beside what it holds. A date is invalid if it was written by hand and no calendar has it,
 * such as `infinity`.
 */
export interface FailedRecord {
  /** The dead letter's id. */
  id: string
  /** The message's id. */
  messageId: string
  /** The message's type. */
  type: string
  /** The transport it was in, and returns to. */
  transport: string
  /** Its queue. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** The caller's headers. */
  headers: MessageHeaders
  /** Its metadata. */
  metadata: MessageMetadata
  /** The last error's message. */
  error: string
  /** The last error's class. */
  errorClass: string
  /** When it failed for the last time. */
  failedAt: Date
  /** Number of retries. */
  retryCount: number
  /** How often a process died while it ran the message. */
  crashes: number
  /** When it was dispatched. */
  createdAt: Date
  /** The caller's key, if any. */
  idempotencyKey: string | null
}

/** A message that failed for good, as a full copy. */
export interface FailedMessage extends FailedRecord, MessageContents {
  /** Where the last error was thrown: a few frames of its stack, and the errors that caused it; `null`: not known. */
  errorStack: string | null
}

/** A dead letter in a list: with an outline of what it holds. */
export interface ListedFailedMessage extends FailedRecord, MessageOutline {}

/** A page of dead letters, newest first. */
export interface FailedPage<Message = ListedFailedMessage> {
  /** The dead letters; possibly fewer than requested, although more follow. */
  messages: Message[]
  /** For the next page; `null` on the last page. */
  nextCursor: string | null
  /** If the page ended because it had examined 10,000 dead letters: those since then. Otherwise `null`. */
  searchedTo: Date | null
}

/** How many dead letters there are. */
export interface FailedCount {
  /** How many match. */
  total: number
  /** Whether counting stopped at its cap, so that there may be more. */
  capped: boolean
}

/** A dead letter that was put back as a message. */
export interface RetriedMessage {
  /** The id of the former dead letter. */
  failedMessageId: string
  /** The new message's id. */
  messageId: string
  /** The transport it is in. */
  transport: string
}

/** Dead letters of an instance. */
export interface DeadLetterFunctions {
  /**
   * Dead letters, newest first, page by page.
   *
   * One page examines at most 10,000 dead letters of the type and the time that are asked for. If a filter matches few of
   * them, a page has fewer than `limit`, or none, and `nextCursor` leads to more. It also ends early once its dead letters
   * hold some 64 MiB. Lists show outlines; with `full: true` they show all, and {@link getFailed} does.
   *
   * @throws ConfigurationError naming the invalid option, `SYMPHONY_UNKNOWN_OPTION` for one that does not exist,
   * `SYMPHONY_INVALID_QUERY` with the place in the query; SerializationError for an invalid cursor.
   */
  listFailed(options: FailedPageOptions & { full: true }): Promise<FailedPage<FailedMessage>>
  listFailed(options?: FailedPageOptions & { full?: false }): Promise<FailedPage>

  /**
   * How many dead letters match, among the newest 10,000 of the type and the time that are asked for: those that the
   * first page of {@link listFailed} examines.
   *
   * @throws ConfigurationError naming the invalid option.
   */
  countFailed(filter?: FailedFilter): Promise<FailedCount>

  /** One dead letter; `null` if the id is unknown. */
  getFailed(id: string): Promise<FailedMessage | null>

  /**
   * Puts dead letters back as new messages, each in one transaction: message in, dead letter out. If it fails again, it
   * becomes a dead letter again.
   *
   * All of it in one call; `runOperation()` does it in steps, at a rate, and can be stopped.
   *
   * @param which an id, or a filter; `{}` means all.
   * @param because who and why, for the audit.
   * @returns what was put back, without dead letters that do not exist any more.
   * @throws ConfigurationError for a filter that contains `undefined` or an empty query, which would match more than
   * intended, and for one that is not valid.
   */
  retryFailed(which: string | FailedFilter, because?: Because): Promise<RetriedMessage[]>

  /**
   * Deletes dead letters.
   *
   * All of it in one call; `runOperation()` does it in steps, at a rate, and can be stopped.
   *
   * @param which an id, or a filter; `{}` means all.
   * @param because who and why, for the audit.
   * @returns how many.
   * @throws ConfigurationError for a filter that contains `undefined` or an empty query, which would match more than
   * intended, and for one that is not valid.
   */
  removeFailed(which: string | FailedFilter, because?: Because): Promise<number>
}

/** The functions over a core. */
export function deadLetterFunctions(core: Core): DeadLetterFunctions {
  function listFailed(options: FailedPageOptions & { full: true }): Promise<FailedPage<FailedMessage>>
  function listFailed(options?: FailedPageOptions & { full?: false }): Promise<FailedPage>
  async function listFailed(options: FailedPageOptions = {}): Promise<FailedPage<ListedFailedMessage | FailedMessage>> {
    const filter = JSON.stringify(checked(options, { ...FAILED_FILTER, ...PAGE }))
    const page = await core.ask<NativePage>((it) => it.listFailed(filter))
    return {
      messages: page.messages.map(toFailedMessage),
      nextCursor: page.nextCursor,
      searchedTo: page.searchedTo === null ? null : new Date(page.searchedTo),
    }
  }
  return {
    listFailed,
    async countFailed(filter: FailedFilter = {}): Promise<FailedCount> {
      return core.ask<FailedCount>((it) => it.countFailed(toFilter(filter)))
    },
    async getFailed(id: string): Promise<FailedMessage | null> {
      const found = await core.ask<NativeFailed | null>((it) => it.getFailed(text(id, 'id')))
      return found === null ? null : (toFailedMessage(found) as FailedMessage)
    },
    async retryFailed(which: string | FailedFilter, because: Because = {}): Promise<RetriedMessage[]> {
      if (typeof which === 'string' && !UUID.test(which)) return []
      const { retried } = await core.ask<{ retried: RetriedMessage[] }>((it) =>
        it.retryFailed(toOperation('retry', which, because)),
      )
      return retried
    },
    async removeFailed(which: string | FailedFilter, because: Because = {}): Promise<number> {
      if (typeof which === 'string' && !UUID.test(which)) return 0
      const { removed } = await core.ask<{ removed: number }>((it) =>
        it.removeFailed(toOperation('remove', which, because)),
      )
      return removed
    },
  }
}

/** What every dead letter's id looks like; any other is unknown, and the core would refuse it as an invalid filter. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

type Instants = 'failedAt' | 'createdAt'

type NativeFailed = Omit<FailedRecord, Instants> & Record<Instants, number | null> & NativeContents

interface NativePage {
  messages: NativeFailed[]
  nextCursor: string | null
  searchedTo: number | null
}

function toFailedMessage(native: NativeFailed): ListedFailedMessage | FailedMessage {
  const { failedAt, createdAt } = native
  const contents = readContents(native)
  const dates = { failedAt: shownDate(failedAt), createdAt: shownDate(createdAt) }
  if (!('errorHistory' in contents)) return { ...native, ...contents, ...dates }
  return { ...native, ...contents, ...dates, errorStack: contents.errorHistory.at(-1)?.stack ?? null }
}

/** The checks of a {@link FailedFilter}. */
export const FAILED_FILTER: Record<keyof FailedFilter, Check> = {
  type: words,
  transport: words,
  queue: words,
  errorClass: words,
  text: words,
  failedAfter: instant,
  failedBefore: instant,
  query: words,
  ids: idsOf('a dead letter'),
}

const PAGE = { limit: whole(1, 1_000), cursor: words, full: flag }

/** The check of ids. */
export function idsOf(what: string): Check {
  return (value, key) => {
    if (!Array.isArray(value)) return must(false, key, value, 'an array of ids', value)
    const stray = value.findIndex((id) => typeof id !== 'string' || !UUID.test(id))
    return must(stray < 0, `${key}[${stray}]`, value[stray], `the id of ${what}, a UUID`, value)
  }
}

function toFilter(filter: FailedFilter): string {
  return JSON.stringify(checked(filter, FAILED_FILTER))
}

/** An operation, as the core is asked for it. */
function toOperation(action: 'retry' | 'remove', which: string | FailedFilter, because: Because): string {
  const said = checked(because, BECAUSE)
  if (typeof which === 'string') return JSON.stringify({ operation: { action }, ids: [which], because: said })
  if (typeof which !== 'object' || which === null) {
    throw new ConfigurationError('wants the id of a dead letter, or a filter; {} means all')
  }
  if (Array.isArray(which)) {
    throw new ConfigurationError(
      'got an array, wants the id of a dead letter, or a filter; several ids are { ids: […] }',
    )
  }
  const missing = Object.entries(which).find(([, value]) => value === undefined)
  if (missing === undefined) {
    return JSON.stringify({ operation: { action }, filter: checked(which, FAILED_FILTER), because: said })
  }
  throw new ConfigurationError(`the filter's \`${missing[0]}\` is undefined; leave it out if you mean all of them`)
}
