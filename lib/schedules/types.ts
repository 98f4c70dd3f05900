/** What schedules take and what they report. */
import type { Duration } from '../base/duration.js'
import type { MessageMetadata } from '../message/message.js'

/** An instant: a `Date`, milliseconds since the epoch, or ISO 8601 text with a zone. */
export type ScheduleInstant = Date | number | string

/** When a schedule runs, in short: once, by a cron expression, or at an interval. */
export type ScheduleTiming =
  | {
      /** Once, at this instant; a past one runs at the next poll. */
      at: ScheduleInstant
    }
  | {
      /** Five fields, or six with seconds first; see docs/scheduling.md. */
      cron: string
      /** An IANA name such as `Europe/London`; `UTC` by default. */
      timezone?: string
      /** The seed of hashed fields (`H`), instead of the schedule's name. */
      seed?: string
    }
  | {
      /** A second or more; run n is at `from` + n times this, without drift. */
      every: Duration
    }

/** When a schedule runs, in the long form: kind and configuration separately. */
export interface ScheduleConfig {
  /** The kind. */
  type: 'once' | 'cron' | 'interval'
  /** `{ at }`, `{ cron }` (or `{ expression }`), or `{ every }` (or `{ interval }`); see {@link ScheduleTiming}. */
  config: {
    at?: ScheduleInstant
    cron?: string
    expression?: string
    seed?: string
    every?: Duration
    interval?: Duration
  }
  /** For a cron expression: an IANA name; `UTC` by default. */
  timezone?: string
  /** As in {@link ScheduleOptions}, which takes precedence. */
  maxRuns?: number
}

/** How a schedule runs, and how its messages are dispatched. Everything is optional. */
export interface ScheduleOptions {
  /**
   * 1 to 190 characters. Scheduling again under a name replaces; the same again changes nothing. Without one, a name is
   * made from type, payload and timing, so that the same call again is the same schedule.
   */
  name?: string
  /** The transport of its messages, instead of routing. It must be in Postgres. */
  transport?: string
  /** The queue within the transport. */
  queue?: string
  /** 1 to 10, 10 first. */
  priority?: number
  /** Headers of its messages. `schedule-name`, `schedule-run-at` and `schedule-missed` are added. */
  headers?: Record<string, string>
  /** Merged over the message's own metadata. */
  metadata?: MessageMetadata
  /** Retries of its messages, instead of the type's retry strategy. */
  maxRetries?: number
  /** Finished after this many runs. */
  maxRuns?: number
  /** No run before this instant; an interval counts from it. */
  from?: ScheduleInstant
  /** No run at this instant or after it. */
  until?: ScheduleInstant
  /** Each run is delayed by a random time up to this; 0 by default. */
  jitter?: Duration
  /** Missed runs: the last one is made up for (`'once'`, the default), all are, or none. */
  missed?: 'once' | 'all' | 'skip'
  /** How many runs `missed: 'all'` makes up for, the last ones: 1 to 1,000; 100 by default. */
  maxMissed?: number
  /** How late the oldest run may be before `missed: 'skip'` considers it missed; 5 minutes by default. */
  missedAfter?: Duration
  /** `'skip'` leaves out a run while the message of the previous one is unfinished; `'allow'` by default. */
  overlap?: 'allow' | 'skip'
}

/** A schedule as it is stored. */
export interface Schedule {
  /** Its id. */
  id: string
  /** Its name. */
  name: string
  /** `finished`: it will not run any more. */
  status: 'active' | 'paused' | 'finished'
  /** Its kind. */
  kind: 'once' | 'cron' | 'interval'
  /** The expression; `null` for other kinds. */
  cron: string | null
  /** The zone of the expression. */
  timezone: string
  /** Milliseconds from run to run; `null` for other kinds. */
  every: number | null
  /** The instant of a one-time schedule; `null` for other kinds. */
  at: Date | null
  /** The type of its messages. */
  type: string
  /** Their payload. */
  payload: Record<string, unknown>
  /** Their headers, without the added ones. */
  headers: Record<string, string>
  /** Their metadata. */
  metadata: MessageMetadata
  /** Their transport; `null`: by routing. */
  transport: string | null
  /** Their queue; `null`: the transport's. */
  queue: string | null
  /** Their priority; `null`: the transport's. */
  priority: number | null
  /** Their retries; `null`: as the type is configured. */
  maxRetries: number | null
  /** Total runs; `null`: no limit. */
  maxRuns: number | null
  /** No run before this instant. */
  from: Date | null
  /** No run at this instant or after it. */
  until: Date | null
  /** Milliseconds. */
  jitter: number
  /** See {@link ScheduleOptions}. */
  missed: 'once' | 'all' | 'skip'
  /** See {@link ScheduleOptions}. */
  maxMissed: number
  /** Milliseconds. */
  missedAfter: number
  /** See {@link ScheduleOptions}. */
  overlap: 'allow' | 'skip'
  /** What created it: `defineSchedules()` or `schedule()`. */
  origin: 'code' | 'api'
  /** The group of `defineSchedules()`; `null` for others. */
  group: string | null
  /** When it is due, including jitter; `null` if it is paused or finished. */
  nextRunAt: Date | null
  /** When it last dispatched a message. */
  lastRunAt: Date | null
  /** Runs so far, without manual ones. */
  runCount: number
  /** Runs left out so far because of `missed` and `overlap`. In a long gap, not every run is counted. */
  skippedCount: number
  /** The messages of its last run. */
  lastMessageIds: string[]
  /** Why it could not run; it is retried every minute. `null`: all is well. */
  lastError: string | null
  /** When that was. */
  lastErrorAt: Date | null
  /** When it was first scheduled. */
  createdAt: Date
  /** When it was last changed. */
  updatedAt: Date
  /** When it finished. */
  finishedAt: Date | null
}

/** A message that a schedule has dispatched. */
export interface ScheduledMessage {
  /** The schedule's name. */
  schedule: string
  /** The message's id. */
  messageId: string
  /** The planned time of the run, without jitter or delay. */
  nominalAt: Date
  /** The transport of the message. */
  transport: string
}

/** How much `runDueSchedules()` does. */
export interface RunDueOptions {
  /** The most schedules; all that are due by default. */
  limit?: number
  /** Start no further group of 500 schedules after this time. */
  timeLimit?: Duration
}

/** What `runDueSchedules()` did. */
export interface RunDueResult {
  /** Due schedules that this call has processed. Those that another call processed do not count. */
  due: number
  /** Messages dispatched. */
  dispatched: number
  /** Runs left out because of `missed` and `overlap`. */
  skipped: number
  /** Schedules that could not run; see `errors`. */
  failed: number
  /** Milliseconds. */
  duration: number
  /** When the next schedule is due; `null`: none will be. */
  nextRunAt: Date | null
  /** The messages. */
  messages: ScheduledMessage[]
  /** Why schedules could not run. They keep their run and are retried in a minute. */
  errors: Array<{ schedule: string; code: string; message: string }>
}
