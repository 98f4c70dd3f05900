/**
 * Instants as people write them, and their only parser: wherever the package takes an instant, and wherever it comes
 * from, it means the same and is refused for the same reasons. `Date.parse` would take 30 February for 2 March.
 */
import { types } from 'node:util'

/** What {@link parseInstant} accepts, for error messages. */
export const INSTANT_FORM =
  'a valid Date, milliseconds since the epoch, or ISO 8601 text with a zone, in the years 1 to 9999'

/**
 * An instant from the core. An invalid `Date`, which JSON writes as `null`, if it was written by hand and no calendar
 * has it, such as `infinity`.
 */
export function shownDate(time: number | null): Date {
  return new Date(time ?? Number.NaN)
}

/** The first and the last millisecond that ISO 8601 writes with four digits: less than Postgres holds. */
const LEAST = -62_135_596_800_000
const MOST = 253_402_300_799_999

const DAY = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i

/**
 * The whole milliseconds since the epoch of an instant; `undefined` if it is not one.
 *
 * @param value a `Date`, milliseconds, or `YYYY-MM-DDThh:mm[:ss[.fff]]` with `Z` or an offset.
 */
export function parseInstant(value: unknown): number | undefined {
  if (types.isDate(value)) return within(value.getTime())
  if (typeof value !== 'string') return typeof value === 'number' ? within(value) : undefined
  const [day = '', time = '', more] = value.split(/T/i)
  const start = parseDay(day)
  const offset = more === undefined ? parseTime(time) : undefined
  return start === undefined || offset === undefined ? undefined : within(start + offset)
}

/**
 * Whether a number was probably meant as seconds: as milliseconds it is an instant of early 1970, so that what was to
 * happen later would happen at once.
 */
export function looksLikeSeconds(value: unknown): boolean {
  return typeof value === 'number' && value >= LEAST_SECONDS && value <= MOST_SECONDS
}

/** What {@link looksLikeSeconds} wants, for error messages. */
export const NOT_SECONDS = 'milliseconds since the epoch, not seconds'

/** The years 2001 to 2286 in seconds; the first four months of 1970 in milliseconds. */
const LEAST_SECONDS = 1_000_000_000
const MOST_SECONDS = 9_999_999_999

/** The first millisecond of a day, `YYYY-MM-DD`, in UTC; `undefined` if the calendar has no such day. */
export function parseDay(text: string): number | undefined {
  const [year, month, day] = (DAY.exec(text) ?? []).slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? within(date.getTime()) : undefined
}

/** Milliseconds from the beginning of its day in UTC to a time with a zone. */
function parseTime(text: string): number | undefined {
  const found = TIME.exec(text)
  if (found === null) return undefined
  const [hours, minutes, seconds, zoneHours, zoneMinutes] = [1, 2, 3, 6, 7].map((part) => Number(found[part] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (hours > 23 || minutes > 59 || seconds > 59 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const millis = Number((found[4] ?? '').padEnd(3, '0').slice(0, 3))
  const zone = (zoneHours * 60 + zoneMinutes) * (found[5] === '-' ? -60_000 : 60_000)
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis - zone
}

function within(time: number): number | undefined {
  return time >= LEAST && time <= MOST ? Math.floor(time) : undefined
}
