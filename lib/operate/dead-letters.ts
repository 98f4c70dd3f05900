/** Dead letters: messages that failed for good. */

import { ConfigurationError } from '../base/errors.js'
import { shownDate } from '../base/instant.js'
import { type Check, checked, instant, must, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { type FailedRun, failedRuns, type NativeFailedRun } from './failed-run.js'

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
}

/**
 * A message that failed for good, as a full copy. A date is invalid if it was
 * written by hand and no calendar has it, such as `infinity`.
 */
export interface FailedMessage {
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
  /** Its complete payload. */
  payload: Record<string, unknown>
  /** The caller's headers. */
  headers: MessageHeaders
  /** Its metadata. */
  metadata: MessageMetadata
  /** The last error's message. */
  error: string
  /** The last error's class. */
  errorClass: string
  /** Where the last error was thrown: a few frames of its stack, and the errors that caused it; `null`: not known. */
  errorStack: string | null
  /** The errors of its runs, oldest first, 20 at most. */
  errorHistory: FailedRun[]
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

/** A page of dead letters, newest first. */
export interface FailedPage {
  /** The dead letters. */
  messages: FailedMessage[]
  /** For the next page; `null` on the last page. */
  nextCursor: string | null
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
   * @throws ConfigurationError naming the invalid option, `SYMPHONY_UNKNOWN_OPTION` for one that does not exist,
   * `SYMPHONY_INVALID_QUERY` with the place in the query; SerializationError for an invalid cursor.
   */
  listFailed(options?: FailedPageOptions): Promise<FailedPage>

  /**
   * How many dead letters match, among the newest 10,000.
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
   * @param which an id, or a filter; `{}` means all.
   * @returns what was put back, without dead letters that do not exist any more.
   * @throws ConfigurationError for a filter that contains `undefined` or an empty query, which would match more than
   * intended, and for one that is not valid.
   */
  retryFailed(which: string | FailedFilter): Promise<RetriedMessage[]>

  /**
   * Deletes dead letters.
   *
   * @param which an id, or a filter; `{}` means all.
   * @returns how many.
   * @throws ConfigurationError for a filter that contains `undefined` or an empty query, which would match more than
   * intended, and for one that is not valid.
   */
  removeFailed(which: string | FailedFilter): Promise<number>
}

/** The functions over a core. */
export function deadLetterFunctions(core: Core): DeadLetterFunctions {
  return {
    async listFailed(options: FailedPageOptions = {}): Promise<FailedPage> {
      const filter = JSON.stringify(checked(options, { ...FILTER, ...PAGE }))
      const page = await core.ask<{ messages: NativeFailed[]; nextCursor: string | null }>((it) =>
        it.listFailed(filter),
      )
      return { messages: page.messages.map(toFailedMessage), nextCursor: page.nextCursor ?? null }
    },
    async countFailed(filter: FailedFilter = {}): Promise<FailedCount> {
      return core.ask<FailedCount>((it) => it.countFailed(toFilter(filter)))
    },
    async getFailed(id: string): Promise<FailedMessage | null> {
      const found = await core.ask<NativeFailed | null>((it) => it.getFailed(text(id, 'id')))
      return found === null ? null : toFailedMessage(found)
    },
    async retryFailed(which: string | FailedFilter): Promise<RetriedMessage[]> {
      if (typeof which === 'string' && !UUID.test(which)) return []
      const { retried } = await core.ask<{ retried: RetriedMessage[] }>((it) => it.retryFailed(toStrictFilter(which)))
      return retried
    },
    async removeFailed(which: string | FailedFilter): Promise<number> {
      if (typeof which === 'string' && !UUID.test(which)) return 0
      const { removed } = await core.ask<{ removed: number }>((it) => it.removeFailed(toStrictFilter(which)))
      return removed
    },
  }
}

/** What every dead letter's id looks like; any other is unknown, and the core would refuse it as an invalid filter. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

type NativeFailed = Omit<FailedMessage, 'failedAt' | 'createdAt' | 'errorHistory' | 'errorStack'> & {
  failedAt: number | null
  createdAt: number | null
  errorHistory: NativeFailedRun[]
}

function toFailedMessage(native: NativeFailed): FailedMessage {
  const { failedAt, createdAt, errorHistory } = native
  return {
    ...native,
    failedAt: shownDate(failedAt),
    createdAt: shownDate(createdAt),
    errorStack: errorHistory.at(-1)?.stack ?? null,
    errorHistory: failedRuns(errorHistory),
  }
}

const FILTER: Record<keyof FailedFilter, Check> = {
  type: words,
  transport: words,
  queue: words,
  errorClass: words,
  text: words,
  failedAfter: instant,
  failedBefore: instant,
  query: words,
  ids(value, key) {
    if (!Array.isArray(value)) return must(false, key, value, 'an array of ids', value)
    const stray = value.findIndex((id) => !isId(id))
    return must(stray < 0, `${key}[${stray}]`, value[stray], 'the id of a dead letter, a UUID', value)
  },
}

const PAGE = { limit: whole(1, 1_000), cursor: words }

function isId(value: unknown): boolean {
  return typeof value === 'string' && UUID.test(value)
}

function toFilter(filter: FailedFilter): string {
  return JSON.stringify(checked(filter, FILTER))
}

function toStrictFilter(which: string | FailedFilter): string {
  if (typeof which === 'string') return JSON.stringify({ ids: [which] })
  if (typeof which !== 'object' || which === null) {
    throw new ConfigurationError('wants the id of a dead letter, or a filter; {} means all')
  }
  if (Array.isArray(which)) {
    throw new ConfigurationError(
      'got an array, wants the id of a dead letter, or a filter; several ids are { ids: […] }',
    )
  }
  const missing = Object.entries(which).find(([, value]) => value === undefined)
  if (missing === undefined) return toFilter(which)
  throw new ConfigurationError(`the filter's \`${missing[0]}\` is undefined; leave it out if you mean all of them`)
}
