/** Schedules: create, change, list, run. */

import { type Because, becauseText } from '../base/because.js'
import { parseDuration } from '../base/duration.js'
import type { Log } from '../base/logger.js'
import { mustBeAll } from '../base/options.js'
import type { Core } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'
import type { Dispatchable, MessageInput } from '../dispatch/types.js'
import type { MessageParts } from '../message/message.js'
import type { Messages } from '../message/messages.js'
import { mustBeKnown, ofEntry, refused, text, toDefinition } from './definition.js'
import type {
  RunDueOptions,
  RunDueResult,
  Schedule,
  ScheduleConfig,
  ScheduledMessage,
  ScheduleOptions,
  ScheduleTiming,
} from './types.js'

/** One schedule of `defineSchedules()`. */
export interface ScheduleDefinition<Types = Messages> extends ScheduleOptions {
  /** Its name, which is required here. */
  name: string
  /** What it dispatches. */
  message: Dispatchable<Types>
  /** When it runs. */
  when: ScheduleTiming | ScheduleConfig
}

/** What schedules work with. */
export interface ScheduleParts {
  readonly core: Core
  readonly log: Log
}

/** Schedules of an instance. */
export interface ScheduleFunctions<Types = Messages> {
  /**
   * Stores a schedule: from now on, every due run becomes one message, whatever calls `runDueSchedules()` and however
   * many do so at once.
   *
   * @param message what is dispatched; one of a defined type (`Definition.create(payload)`) is validated now.
   * @param when `{ at }`, `{ cron, timezone }`, `{ every }`, or a {@link ScheduleConfig}.
   * @returns the schedule as it is stored.
   * @throws SchedulerError for what is wrong with the schedule; MessageValidationError for the message;
   * ConfigurationError and TransportError for its transport.
   *
   * @example
   * await schedule({ type: 'DailyReport', payload: {} }, { cron: '0 9 * * *', timezone: 'Europe/London' }, { name: 'report' })
   */
  schedule<Named extends MessageParts = never>(
    message: Dispatchable<Types, Named>,
    when: ScheduleTiming | ScheduleConfig,
    options?: ScheduleOptions,
  ): Promise<Schedule>

  /**
   * Makes the stored schedules match the code: new ones are added, changed ones changed, and those that came from here
   * and are not in the list any more are deleted. Those of `schedule()` stay. Call it at start-up; several processes
   * may do so at once. All are checked before the first is stored.
   *
   * @param options.group keeps the lists of several applications on one database apart; `'default'` by default.
   * @returns the schedules, and the names of those deleted.
   * @throws as `schedule()`, naming the entry of the list.
   */
  defineSchedules(
    definitions: Array<ScheduleDefinition<Types>>,
    options?: { group?: string },
  ): Promise<{ schedules: Schedule[]; removed: string[] }>

  /**
   * Schedules ordered by name, including paused and finished ones.
   *
   * @param options.after only those whose name comes after this one: the last name of the previous page.
   * @param options.limit how many: 1 to 10,000; 1,000 by default.
   */
  listSchedules(options?: { after?: string; limit?: number }): Promise<Schedule[]>

  /** One schedule; `null` if the name is unknown. */
  getSchedule(name: string): Promise<Schedule | null>

  /**
   * Stops a schedule from running.
   *
   * @param because who and why, for the audit; so for the three below.
   * @throws SchedulerError `SYMPHONY_UNKNOWN_SCHEDULE`.
   */
  pauseSchedule(name: string, because?: Because): Promise<Schedule>

  /**
   * Lets a paused schedule continue with its next run. Runs during the pause are not made up for; a one-time schedule
   * whose time has passed runs at once.
   *
   * @throws SchedulerError `SYMPHONY_UNKNOWN_SCHEDULE`.
   */
  resumeSchedule(name: string, because?: Because): Promise<Schedule>

  /**
   * Dispatches the message of a schedule now, even if it is paused or finished. Its plan stays as it is, and the run does
   * not count towards `maxRuns`.
   *
   * @returns the message's id, and all messages if routing sends the type to several transports.
   * @throws SchedulerError `SYMPHONY_UNKNOWN_SCHEDULE`.
   */
  runScheduleNow(name: string, because?: Because): Promise<{ messageId: string; messages: ScheduledMessage[] }>

  /** Deletes a schedule; returns whether it existed. Messages that it has dispatched stay. */
  deleteSchedule(name: string, because?: Because): Promise<boolean>

  /**
   * Dispatches a message for every due run: what a cron route calls. Concurrent calls share the work, and one that is
   * killed at any point neither loses nor duplicates a run.
   *
   * @throws TransportError if the database cannot be used. Problems of single schedules are in `errors`, are logged, and
   * stop no other.
   *
   * @example
   * const { dispatched, nextRunAt } = await runDueSchedules({ timeLimit: '20s' })
   */
  runDueSchedules(options?: RunDueOptions): Promise<RunDueResult>
}

/** The functions over a core. */
export function scheduleFunctions(parts: ScheduleParts): ScheduleFunctions {
  const { core } = parts
  return {
    async schedule(
      message: MessageInput,
      when: ScheduleTiming | ScheduleConfig,
      options?: ScheduleOptions,
      ...more: unknown[]
    ): Promise<Schedule> {
      mustBeAll(more, 'schedule(message, when, options)')
      const definition = await toDefinition(message, when, options)
      return toSchedule(await core.ask<NativeSchedule>((it) => it.schedule(definition)))
    },
    async defineSchedules(
      definitions: ScheduleDefinition[],
      options: { group?: string } = {},
      ...more: unknown[]
    ): Promise<{ schedules: Schedule[]; removed: string[] }> {
      mustBeAll(more, 'defineSchedules(definitions, options)')
      mustBeKnown(options, ['group'])
      if (!Array.isArray(definitions)) throw refused('schedules', definitions, 'wants an array')
      const { group = 'default' } = options
      if (typeof group !== 'string' || group === '') throw refused('options.group', group, 'wants a string')
      const texts = await Promise.all(
        definitions.map(async ({ message, when, ...own }, index) => {
          if (typeof own.name !== 'string') throw refused(`schedules[${index}].name`, own.name, 'wants a string')
          return toDefinition(message, when, own).catch((error) => {
            throw ofEntry(`schedules[${index}]`, error)
          })
        }),
      )
      const asked = `{"group":${JSON.stringify(group)},"schedules":[${texts.join(',')}]}`
      const { schedules, removed } = await core.ask<{ schedules: NativeSchedule[]; removed: string[] }>((it) =>
        it.defineSchedules(asked),
      )
      return { schedules: schedules.map(toSchedule), removed }
    },
    async listSchedules(options: { after?: string; limit?: number } = {}): Promise<Schedule[]> {
      mustBeKnown(options, ['after', 'limit'])
      const { after, limit = 1_000 } = options
      if (after !== undefined) text('options.after', after)
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        throw refused('options.limit', limit, 'wants a whole number from 1 to 10000')
      }
      const page = await core.ask<NativeSchedule[]>((it) => it.listSchedules(JSON.stringify({ after, limit })))
      return page.map(toSchedule)
    },
    async getSchedule(name: string): Promise<Schedule | null> {
      const found = await core.ask<NativeSchedule | null>((it) => it.getSchedule(text('name', name)))
      return found === null ? null : toSchedule(found)
    },
    async pauseSchedule(name: string, because?: Because): Promise<Schedule> {
      return toSchedule(
        await core.ask<NativeSchedule>((it) => it.switchSchedule(text('name', name), false, becauseText(because))),
      )
    },
    async resumeSchedule(name: string, because?: Because): Promise<Schedule> {
      return toSchedule(
        await core.ask<NativeSchedule>((it) => it.switchSchedule(text('name', name), true, becauseText(because))),
      )
    },
    async runScheduleNow(
      name: string,
      because?: Because,
    ): Promise<{ messageId: string; messages: ScheduledMessage[] }> {
      const messages = (
        await core.ask<NativeMessage[]>((it) => it.runScheduleNow(text('name', name), becauseText(because)))
      ).map(toMessage)
      return { messageId: messages[0]?.messageId ?? '', messages }
    },
    async deleteSchedule(name: string, because?: Because): Promise<boolean> {
      return awaitNative(async () => core.use().deleteSchedule(text('name', name), becauseText(because)))
    },
    async runDueSchedules(options: RunDueOptions = {}, ...more: unknown[]): Promise<RunDueResult> {
      mustBeAll(more, 'runDueSchedules(options)')
      const { nextRunIn: _, ...result } = await runDue(parts, options)
      return result
    },
  }
}

/** As `runDueSchedules()`, and how long it is until the next run by the database's clock. */
export async function runDue(
  { core, log }: ScheduleParts,
  options: RunDueOptions,
): Promise<RunDueResult & { nextRunIn: number | null }> {
  const asked = JSON.stringify(toNative(options))
  const native = await core.ask<NativeResult>((it) => it.runDueSchedules(asked))
  for (const error of native.errors) log.current.error('a schedule could not run', error)
  return { ...native, nextRunAt: toDate(native.nextRunAt), messages: native.messages.map(toMessage) }
}

function toNative(options: RunDueOptions): Record<string, unknown> {
  mustBeKnown(options, ['limit', 'timeLimit'])
  const { limit, timeLimit } = options
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw refused('options.limit', limit, 'wants a whole number from 1')
  }
  const time = timeLimit === undefined ? undefined : parseDuration(timeLimit)
  if (timeLimit !== undefined && time === undefined) throw refused('options.timeLimit', timeLimit, 'wants a duration')
  return { limit, timeLimit: time === undefined ? undefined : Math.round(time) }
}

type NativeMessage = Omit<ScheduledMessage, 'nominalAt'> & { nominalAt: number }
type NativeResult = Omit<RunDueResult, 'nextRunAt' | 'messages'> & {
  nextRunAt: number | null
  nextRunIn: number | null
  messages: NativeMessage[]
}

const DATES = ['at', 'from', 'until', 'nextRunAt', 'lastRunAt', 'lastErrorAt', 'createdAt', 'updatedAt', 'finishedAt']

/** As {@link Schedule}, with milliseconds instead of dates. */
type NativeSchedule = Record<string, unknown>

function toSchedule(native: NativeSchedule): Schedule {
  const dates = DATES.map((key) => [key, toDate(native[key] as number | null)])
  return { ...native, ...Object.fromEntries(dates) } as Schedule
}

function toMessage(native: NativeMessage): ScheduledMessage {
  return { ...native, nominalAt: new Date(native.nominalAt) }
}

function toDate(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
