/** What operators look at beside messages: who is at work, how full the queues were, errors, refused keys, releases. */

import { BECAUSE, type Because } from '../base/because.js'
import { shownDate } from '../base/instant.js'
import { type Check, checked, instant, must, oneOf, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'

/** A worker or an invocation. A date is invalid if it was written by hand and no calendar has it. */
export interface WorkerInfo {
  /** Its id. */
  id: string
  /** The machine. */
  host: string
  /** The process. */
  pid: number
  /** A worker that stays, or a drain that ends; `null`: a build from before 0012. */
  kind: 'worker' | 'drain' | null
  /** The transports that it has claimed from. */
  transports: string[]
  /** When it registered: with its first claim. */
  startedAt: Date
  /** Its last heartbeat. */
  lastBeatAt: Date
  /** Until when its claims are valid. */
  leaseUntil: Date
  /** Messages that it held at its last heartbeat. */
  inFlight: number
  /** How many handlers it runs at the same time, at most. */
  concurrency: number | null
  /** Whether it waits for something to come in. */
  waiting: boolean
  /** The version of this package. */
  version: string | null
  /** The release of the application: `SYMPHONY_RELEASE`, or `VERCEL_GIT_COMMIT_SHA`. */
  release: string | null
  /** Since when it is asked to stop. */
  stopAt: Date | null
  /** Whether its lease holds. One that has died is listed until its messages are rescued. */
  alive: boolean
}

/** How full a queue was in a minute. */
export interface DepthPoint {
  /** The minute. */
  minute: Date
  /** Messages that were due. */
  pending: number
  /** Messages that waited for their time. */
  delayed: number
  /** Messages that ran. */
  processing: number
  /** For how many milliseconds the first that was due had been; `null`: none was. */
  oldestAge: number | null
  /** Whether counting stopped at its bound: there was at least as much. */
  capped: boolean
}

/** Which depths: of all queues together, or of one. */
export interface DepthOptions {
  /** How far to look back, in minutes. Default 60. */
  minutes?: number
  /** From this instant, instead of `minutes`. */
  startTime?: Date | number | string
  /** Up to this instant; now by default. */
  endTime?: Date | number | string
  /** The transport of the queue. */
  transport?: string
  /** The queue; `default` unless it is given with a transport. */
  queue?: string
}

/** What is thought of a group of errors: one that was resolved is open again once it is seen later. */
export type ErrorGroupState = 'open' | 'resolved' | 'ignored'

/** Failed runs of one type, with errors of one class. */
export interface ErrorGroup {
  /** The message type. */
  type: string
  /** The class of the error. */
  class: string
  /** The minute in which it was first seen. */
  firstAt: Date
  /** When it was last seen. */
  lastAt: Date
  /** How often. */
  occurrences: number
  /** What is thought of it. */
  state: ErrorGroupState
  /** When that was said; `null`: never. */
  stateAt: Date | null
  /** What somebody wrote about it. */
  note: string | null
}

/** Which groups of errors. */
export interface ErrorGroupOptions {
  /** Of one message type. */
  type?: string
  /** In one state. */
  state?: ErrorGroupState
  /** How many: 1,000 by default and at most. */
  limit?: number
}

/** An idempotency key that has refused dispatches. */
export interface RefusedKey {
  /** The key. */
  idempotencyKey: string
  /** The transport that it is held in. */
  transport: string
  /** The message type that it is held for; `null`: any, as builds hold it that know no types. */
  type: string | null
  /** The message that holds it. */
  messageId: string
  /** When it was taken. */
  firstSeenAt: Date
  /** When it is free again; `null`: never. */
  expiresAt: Date | null
  /** Dispatches refused since. */
  refused: number
}

/** A release of the application that was seen at work. */
export interface ReleaseInfo {
  /** Its name. */
  release: string
  /** The version of this package in it. */
  version: string | null
  /** When a consumer of it was first seen. */
  firstAt: Date
}

/** What operators look at, of an instance. */
export interface InsightFunctions {
  /** Workers and invocations at work, those that registered last first; 1,000 at most. */
  listWorkers(): Promise<WorkerInfo[]>

  /**
   * How full the queues were, in at most 300 points. It is noted once a minute by one of those who consume: where a minute
   * has no point, nobody did. Kept for `retention.metrics`.
   *
   * @throws ConfigurationError naming the invalid option.
   */
  getDepths(options?: DepthOptions): Promise<DepthPoint[]>

  /**
   * Failed runs by message type and class of their error, the latest first: since they were first seen, and as long as they
   * were seen in the last 90 days.
   *
   * @throws ConfigurationError naming the invalid option.
   */
  listErrorGroups(options?: ErrorGroupOptions): Promise<ErrorGroup[]>

  /**
   * Says what is thought of a group of errors.
   *
   * @param note is kept with it; without one, none is.
   * @param because who and why, for the audit.
   * @returns whether such errors were ever seen.
   * @throws ConfigurationError naming the invalid argument.
   */
  setErrorGroup(
    type: string,
    errorClass: string,
    state: ErrorGroupState,
    note?: string,
    because?: Because,
  ): Promise<boolean>

  /**
   * Idempotency keys that have refused dispatches, those that were taken last first.
   *
   * @param options.before only those that were taken before; `firstSeenAt` of the last one for the next page.
   * @param options.limit 1,000 by default and at most.
   * @throws ConfigurationError naming the invalid option.
   */
  listRefusedKeys(options?: { before?: Date | number | string; limit?: number }): Promise<RefusedKey[]>

  /** Releases of the application that were seen at work, the newest first: the marks of deployments on a chart. */
  listReleases(): Promise<ReleaseInfo[]>
}

/** The functions over a core. */
export function insightFunctions(core: Core): InsightFunctions {
  return {
    async listWorkers(): Promise<WorkerInfo[]> {
      const rows = await core.ask<Dated<WorkerInfo>[]>((it) => it.workers())
      return rows.map((it) => ({
        ...it,
        ...dates(it, 'startedAt', 'lastBeatAt', 'leaseUntil'),
        stopAt: maybe(it.stopAt),
      }))
    },
    async getDepths(options: DepthOptions = {}): Promise<DepthPoint[]> {
      const { transport, queue = 'default', ...window } = checked(options, DEPTHS) as DepthOptions
      must(
        transport !== undefined || options.queue === undefined,
        'options.queue',
        queue,
        'a transport beside it',
        queue,
      )
      const rows = await core.ask<Dated<DepthPoint>[]>((it) => {
        return it.depths(JSON.stringify(window), transport, transport === undefined ? '' : queue)
      })
      return rows.map((it) => ({ ...it, ...dates(it, 'minute') }))
    },
    async listErrorGroups(options: ErrorGroupOptions = {}): Promise<ErrorGroup[]> {
      const filter = JSON.stringify(checked(options, GROUPS))
      const rows = await core.ask<Dated<ErrorGroup>[]>((it) => it.errorGroups(filter))
      return rows.map((it) => ({ ...it, ...dates(it, 'firstAt', 'lastAt'), stateAt: maybe(it.stateAt) }))
    },
    async setErrorGroup(
      type: string,
      errorClass: string,
      state: ErrorGroupState,
      note?: string,
      because: Because = {},
    ): Promise<boolean> {
      const said = {
        type: text(type, 'type'),
        class: text(errorClass, 'errorClass'),
        state: STATE(state, 'state'),
        note: note === undefined ? null : text(note, 'note'),
        because: checked(because, BECAUSE),
      }
      return core.ask<boolean>((it) => it.judgeErrorGroup(JSON.stringify(said)))
    },
    async listRefusedKeys(options: { before?: Date | number | string; limit?: number } = {}): Promise<RefusedKey[]> {
      const asked = JSON.stringify(checked(options, { before: instant, limit: whole(1, 1_000) }))
      const rows = await core.ask<Dated<RefusedKey>[]>((it) => it.refusedKeys(asked))
      return rows.map((it) => ({ ...it, ...dates(it, 'firstSeenAt'), expiresAt: maybe(it.expiresAt) }))
    },
    async listReleases(): Promise<ReleaseInfo[]> {
      const rows = await core.ask<Dated<ReleaseInfo>[]>((it) => it.releases())
      return rows.map((it) => ({ ...it, ...dates(it, 'firstAt') }))
    },
  }
}

/** As the core has it: instants in milliseconds since the epoch. */
type Dated<Told> = { [Key in keyof Told]: Date extends Told[Key] ? number | null : Told[Key] }

function dates<Key extends string>(told: Record<Key, number | null>, ...keys: Key[]): Record<Key, Date> {
  return Object.fromEntries(keys.map((key) => [key, shownDate(told[key])])) as Record<Key, Date>
}

function maybe(at: number | null): Date | null {
  return at === null ? null : new Date(at)
}

const DEPTHS: Record<keyof DepthOptions, Check> = {
  minutes: (value, key) =>
    must(Number.isFinite(value) && (value as number) > 0, key, value, 'a number of minutes above 0', value),
  startTime: instant,
  endTime: instant,
  transport: words,
  queue: words,
}

const STATE = oneOf('open', 'resolved', 'ignored')

const GROUPS: Record<keyof ErrorGroupOptions, Check> = { type: words, state: STATE, limit: whole(1, 1_000) }
