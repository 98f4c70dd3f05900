/** Cron expressions alone: whether one is valid, and when it would run. Nothing here needs a database. */
import { SchedulerError } from '../base/errors.js'
import { native } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import { mustBeKnown, refused } from './definition.js'

/** Which runs are requested. */
export interface NextRunsOptions {
  /** An IANA name such as `Europe/London`; `UTC` by default. */
  timezone?: string
  /** Runs after this instant: a `Date`, or milliseconds since the epoch. Now by default. */
  from?: Date | number
  /** Runs before this instant. */
  until?: Date | number
  /** How many: 1 to 10,000; 5 by default. */
  count?: number
  /** The seed of hashed fields (`H`). Schedules use their name. */
  seed?: string
}

/** A valid expression. */
export interface CronExpression {
  /** In upper case, with one blank between fields, and with words such as `@daily` replaced. */
  expression: string
  /** Whether it has a field for seconds. */
  seconds: boolean
  /** Whether it has hashed fields (`H`), which need a seed. */
  hashed: boolean
}

/**
 * The next runs of a cron expression, in chronological order.
 *
 * @returns fewer than `count` if no more come before `until` or the year 10000.
 * @throws SchedulerError for an invalid expression, zone or option.
 *
 * @example
 * nextRuns('0 9 * * MON-FRI', { timezone: 'Europe/London', count: 3 })
 */
export function nextRuns(expression: string, options: NextRunsOptions = {}): Date[] {
  mustBeKnown(options, Object.keys(CHECKS))
  const question = Object.fromEntries(
    Object.entries({ from: Date.now(), ...options })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, CHECKS[key as keyof NextRunsOptions](`options.${key}`, value)]),
  )
  const runs = callNative(() => native().nextRuns(text(expression), JSON.stringify(question)))
  return (JSON.parse(runs) as number[]).map((run) => new Date(run))
}

/**
 * Checks and describes a cron expression.
 *
 * @throws SchedulerError `SYMPHONY_INVALID_CRON`, whose message names the field, what it holds, what is allowed and where
 * it is, as `minute 61: 0 to 59 (field 1, character 1 of "61 * * * *")`. `details` has the same for programs:
 * `{ expression, field, value, allowed, position, character }`. An expression that never runs is refused too.
 */
export function validateCron(expression: string): CronExpression {
  return JSON.parse(callNative(() => native().validateCron(text(expression)))) as CronExpression
}

function text(expression: string): string {
  if (typeof expression === 'string') return expression
  throw new SchedulerError(`expression: got ${typeof expression}, wants a string such as '0 9 * * MON-FRI'`, {
    code: 'SYMPHONY_INVALID_CRON',
  })
}

type Check = (path: string, value: unknown) => unknown

const CHECKS: Record<keyof NextRunsOptions, Check> = {
  timezone: textOf("wants an IANA name such as 'Europe/London'"),
  from: toTime,
  until: toTime,
  count: (path, value) => {
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw refused(path, value, 'wants a whole number from 1 to 10000')
  },
  seed: textOf('wants a string'),
}

function textOf(wanted: string): Check {
  return (path, value) => {
    if (typeof value === 'string') return value
    throw refused(path, value, wanted)
  }
}

/** Milliseconds since the epoch. */
function toTime(path: string, value: unknown): number {
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw new SchedulerError(`${path}: wants a valid Date, or milliseconds since the epoch`, {
    code: 'SYMPHONY_INVALID_SCHEDULE',
    details: { path },
  })
}
