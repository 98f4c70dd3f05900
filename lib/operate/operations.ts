/** Operations on many messages: looked at first, then done in steps that anybody can go on with. */

import { setTimeout as sleep } from 'node:timers/promises'
import { BECAUSE, type Because } from '../base/because.js'
import type { Duration } from '../base/duration.js'
import { ConfigurationError } from '../base/errors.js'
import { type Check, checked, duration, instant, must, oneOf, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import { FAILED_FILTER, type FailedFilter, idsOf } from './dead-letters.js'
import { MESSAGE_FILTER, type MessageFilter } from './messages.js'

/** An operation on dead letters: they become messages again, or are deleted. */
export interface LetterOperation {
  action: 'retry' | 'remove'
  /** Which; `{}` means all. */
  filter?: FailedFilter
  /** Which, by the ids of the dead letters. */
  ids?: string[]
}

/** An operation on messages that wait: they are cancelled, or due at another time, or in another place. */
export interface MessageOperation {
  action: 'cancel' | 'snooze' | 'move'
  /** Which; `{}` means all that wait. */
  filter?: MessageFilter
  /** Which, by their ids, instead of a filter. */
  ids?: string[]
  /** `snooze`: after how long they are due; 0: now. */
  delay?: Duration
  /** `move`: to this transport, which has to be of the same store. */
  transport?: string
  /** `move`: to this queue. */
  queue?: string
  /** `move`: to this priority, 1 to 10. */
  priority?: number
}

/** What to do, and to which messages: a filter or ids have to be given. */
export type OperationOptions = (LetterOperation | MessageOperation) & {
  /** Nothing that came later; by default than now. A preview says what it has counted until. */
  before?: Date | number | string
}

/** What else is said of an operation that begins. */
export type StartOptions = OperationOptions &
  Because & {
    /** A UUID of your own: an operation of this id begins once, however often it is started. */
    id?: string
    /** How many match, as a preview has counted them; the audit keeps it. */
    matched?: number
  }

/** One of the messages that match, without its payload. */
export interface OperationSample {
  /** The message, or the dead letter. */
  id: string
  /** Its type. */
  type: string
  /** Its transport. */
  transport: string
  /** Its queue. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** When it was dispatched; of a dead letter, when it failed. */
  at: Date
  /** The error of its last run, if there was one. */
  error: string | null
}

/** What an operation would do. */
export interface OperationPreview {
  /** How many match, among the newest 10,000. */
  matched: number
  /** Whether there may be more. */
  capped: boolean
  /** Five of them, newest first. */
  samples: OperationSample[]
  /** Until when messages may have come to be among them: pass it on to {@link OperationFunctions.startOperation}. */
  before: Date
}

/** An entry of the audit: what somebody did, or an operation and how far it has come. */
export interface AuditEntry {
  /** Its id. */
  id: string
  /** When it was done, or begun. */
  at: Date
  /** Who, if anybody said so. */
  actor: string | null
  /** In which role, if anybody said so. */
  role: string | null
  /**
   * What: `pause`, `resume`, `retry`, `remove`, `cancel`, `snooze`, `move`, `edit`, `stopWorkers`, `judgeErrors`,
   * `pauseSchedule`, `resumeSchedule`, `runSchedule`, `removeSchedule`, and others to come.
   */
  action: string
  /** To what: a scope, or the frozen filter of an operation. */
  target: Record<string, unknown>
  /** Why, if anybody said so. */
  reason: string | null
  /** How many matched at the beginning, if they were counted. */
  matched: number | null
  /** To how many it was done. */
  done: number
  /** Those that had changed by the time their turn came, such as messages that were claimed. */
  skipped: number
  /** Those that the database refused; the others went on. */
  failed: number
  /** What the database said about the last of these. */
  error: string | null
  /** When it went on last. */
  updatedAt: Date
  /** When it was over; `null`: it can go on. */
  endedAt: Date | null
  /** How it ended; `null`: it can go on. */
  ended: 'completed' | 'aborted' | null
}

/** How an operation is driven. */
export interface RunOptions {
  /** Is told after each step. */
  onProgress?: (operation: AuditEntry) => void
  /** Stops after the step that is under way; the operation can go on later. */
  signal?: AbortSignal
  /** The most messages per second; by default as fast as it goes. */
  rate?: number
}

/** Which entries of the audit. */
export interface AuditOptions {
  /** Only of this actor. */
  actor?: string
  /** Only of this action. */
  action?: string
  /** At or after this instant. */
  after?: Date | number | string
  /** At or before this instant. */
  before?: Date | number | string
  /** How many: 50 by default, 1,000 at most. */
  limit?: number
  /** The `nextCursor` of the previous page. */
  cursor?: string
}

/** A page of the audit, newest first. */
export interface AuditPage {
  /** The entries. */
  entries: AuditEntry[]
  /** For the next page; `null` on the last page. */
  nextCursor: string | null
}

/** Operations of an instance. */
export interface OperationFunctions {
  /**
   * Counts what an operation would be about, and shows some of it. Nothing is done.
   *
   * @throws ConfigurationError naming the invalid option, `SYMPHONY_INVALID_QUERY` with the place in the query;
   * TransportError for a transport that does not exist.
   */
  previewOperation(options: OperationOptions): Promise<OperationPreview>

  /**
   * Begins an operation, of which nothing is done before its first step. Its filter is frozen: what comes later is not
   * among what matches, and a span such as `created:>-1h` is counted from now.
   *
   * @throws ConfigurationError, TransportError as {@link previewOperation}.
   */
  startOperation(options: StartOptions): Promise<AuditEntry>

  /**
   * Makes the next step of an operation: acts on some of the messages, for little more than a second. Any process may make
   * it. What a step does is written down in the same statement, so one that is repeated because its answer was lost does
   * nothing twice. An operation that is over stays as it is.
   *
   * @param options.limit the most messages, 1,000 by default and at most.
   * @returns how far it has come; `null` if none has this id.
   */
  stepOperation(id: string, options?: { limit?: number }): Promise<AuditEntry | null>

  /** Ends an operation where it stands: what was done stays so. `null` if there is none of this id. */
  abortOperation(id: string): Promise<AuditEntry | null>

  /**
   * Makes steps until an operation is over, or `signal` is aborted; then it can go on with another call.
   *
   * @param which what {@link startOperation} takes, or the id of an operation that has begun.
   * @returns how far it has come.
   * @throws ConfigurationError, TransportError as {@link previewOperation}.
   *
   * @example
   * const { done } = await runOperation({ action: 'retry', filter: { query: 'error:ETIMEDOUT' } }, { rate: 100 })
   */
  runOperation(which: StartOptions | string, options?: RunOptions): Promise<AuditEntry>

  /** One entry of the audit, such as an operation; `null` if there is none of this id. */
  getAuditEntry(id: string): Promise<AuditEntry | null>

  /**
   * What operators did, newest first, page by page.
   *
   * @throws ConfigurationError naming the invalid option; SerializationError for an invalid cursor.
   */
  listAudit(options?: AuditOptions): Promise<AuditPage>
}

/** How many messages one step takes at most. */
const MOST = 1_000

/** The functions over a core. */
export function operationFunctions(core: Core): OperationFunctions {
  const startOperation = async (options: StartOptions): Promise<AuditEntry> => {
    const asked = toAsked(options, STARTED)
    return toEntry(await core.ask<NativeEntry>((it) => it.startOperation(asked)))
  }
  const stepOperation = async (id: string, options: { limit?: number } = {}): Promise<AuditEntry | null> => {
    const { limit = MOST } = checked(options, { limit: whole(1, MOST) }) as { limit?: number }
    const entry = await core.ask<NativeEntry | null>((it) => it.stepOperation(text(id, 'id'), limit))
    return entry === null ? null : toEntry(entry)
  }
  return {
    async previewOperation(options: OperationOptions): Promise<OperationPreview> {
      const asked = toAsked(options)
      const seen = await core.ask<NativePreview>((it) => it.previewOperation(asked))
      const samples = seen.samples.map((sample) => ({ ...sample, at: new Date(sample.at ?? Number.NaN) }))
      return { ...seen, samples, before: new Date(seen.before) }
    },
    startOperation,
    stepOperation,
    async abortOperation(id: string): Promise<AuditEntry | null> {
      const entry = await core.ask<NativeEntry | null>((it) => it.abortOperation(text(id, 'id')))
      return entry === null ? null : toEntry(entry)
    },
    async runOperation(which: StartOptions | string, options: RunOptions = {}): Promise<AuditEntry> {
      const { onProgress, signal, rate } = checked(options, RUN) as RunOptions
      const first = typeof which === 'string' ? await stepOperation(which, { limit: portion(rate) }) : undefined
      if (first === null) throw new ConfigurationError(`no operation has the id ${which}`)
      let entry = first ?? (await startOperation(which as StartOptions))
      if (first !== undefined) onProgress?.(entry)
      while (entry.ended === null && signal?.aborted !== true) {
        const began = performance.now()
        const before = entry.done + entry.failed
        const next = await stepOperation(entry.id, { limit: portion(rate) })
        if (next === null) break
        entry = next
        onProgress?.(entry)
        if (rate === undefined || entry.ended !== null) continue
        const pause = ((entry.done + entry.failed - before) / rate) * 1_000 - (performance.now() - began)
        await sleep(Math.max(0, pause), undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      }
      return entry
    },
    async getAuditEntry(id: string): Promise<AuditEntry | null> {
      const entry = await core.ask<NativeEntry | null>((it) => it.getAudit(text(id, 'id')))
      return entry === null ? null : toEntry(entry)
    },
    async listAudit(options: AuditOptions = {}): Promise<AuditPage> {
      const filter = JSON.stringify(checked(options, AUDIT))
      const page = await core.ask<{ entries: NativeEntry[]; nextCursor: string | null }>((it) => it.listAudit(filter))
      return { entries: page.entries.map(toEntry), nextCursor: page.nextCursor }
    },
  }
}

/** What a rate lets through in half a second. */
function portion(rate: number | undefined): number {
  return rate === undefined ? MOST : Math.min(MOST, Math.max(1, Math.floor(rate / 2)))
}

type NativeEntry = Omit<AuditEntry, 'at' | 'updatedAt' | 'endedAt'> & {
  at: number | null
  updatedAt: number | null
  endedAt: number | null
}

type NativePreview = Omit<OperationPreview, 'samples' | 'before'> & {
  samples: Array<Omit<OperationSample, 'at'> & { at: number | null }>
  before: number
}

function toEntry(native: NativeEntry): AuditEntry {
  const { at, updatedAt, endedAt } = native
  return {
    ...native,
    at: new Date(at ?? Number.NaN),
    updatedAt: new Date(updatedAt ?? Number.NaN),
    endedAt: endedAt === null ? null : new Date(endedAt),
  }
}

const object: Check = (value, key) => must(typeof value === 'object' && value !== null, key, value, 'an object', value)

const ASKED: Record<string, Check> = {
  action: oneOf('retry', 'remove', 'cancel', 'snooze', 'move'),
  filter: object,
  ids: idsOf('a message or a dead letter'),
  delay: duration,
  transport: words,
  queue: queueName,
  priority: whole(1, 10),
  before: instant,
}

const STARTED: Record<string, Check> = {
  ...BECAUSE,
  id: (value, key) => idsOf('an operation')([value], key) && value,
  matched: whole(0, Number.MAX_SAFE_INTEGER),
}

const AUDIT: Record<keyof AuditOptions, Check> = {
  actor: words,
  action: words,
  after: instant,
  before: instant,
  limit: whole(1, 1_000),
  cursor: words,
}

const RUN: Record<keyof RunOptions, Check> = {
  onProgress: (value, key) => must(typeof value === 'function', key, value, 'a function', value),
  signal: object,
  rate: (value, key) => must(typeof value === 'number' && value > 0, key, value, 'a number above 0', value),
}

/** The keys that only some actions have. */
const PARAMETERS: Record<string, readonly string[]> = { snooze: ['delay'], move: ['transport', 'queue', 'priority'] }

function queueName(value: unknown, key: string): unknown {
  const isName = typeof value === 'string' && value.length > 0 && value.length <= 190 && value.trim() === value
  return must(isName, key, value, 'a string of 1 to 190 characters, without blanks around it', value)
}

/** What the core is asked, or why not: what was lost on the way here would match more than was meant. */
function toAsked(options: OperationOptions, more: Record<string, Check> = {}): string {
  const given = checked(options, { ...ASKED, ...more })
  const { action, filter, ids, before, id, matched, actor, reason, role, ...parameters } = given
  if (action === undefined)
    throw new ConfigurationError("options.action: wants 'retry', 'remove', 'cancel', 'snooze' or 'move'")
  if (filter === undefined && ids === undefined) {
    throw new ConfigurationError('give a filter or ids; the filter {} means all')
  }
  const own = PARAMETERS[action as string] ?? []
  const stray = Object.keys(parameters).find((key) => !own.includes(key))
  if (stray !== undefined) throw new ConfigurationError(`options.${stray}: means nothing to the action '${action}'`)
  if (action === 'snooze' && parameters.delay === undefined) {
    throw new ConfigurationError('options.delay: wants the time after which they are due; 0: now')
  }
  if (parameters.delay !== undefined) parameters.delay = Math.ceil(parameters.delay as number)
  const checks = action === 'retry' || action === 'remove' ? FAILED_FILTER : MESSAGE_FILTER
  return JSON.stringify({
    operation: { action, ...parameters },
    filter: filter === undefined ? undefined : strictly(filter as object, checks),
    ids,
    before,
    id,
    matched,
    because: { actor, reason, role },
  })
}

/** A filter without an `undefined`, which would match more than was meant. */
function strictly(filter: object, checks: Record<string, Check>): Record<string, unknown> {
  const missing = Object.entries(filter).find(([, value]) => value === undefined)
  if (missing === undefined) return checked(filter, checks)
  throw new ConfigurationError(`the filter's \`${missing[0]}\` is undefined; leave it out if you mean all of them`)
}
