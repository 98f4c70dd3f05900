/** Fields of a body, or parameters of a query, checked one by one. */
import { DURATION_FORM, parseDuration } from '../duration.js'
import { badRequest } from './problem.js'

/** Takes a value if it fits. */
export interface Field<T> {
  /** What is allowed, after "must be". */
  wants: string
  /** The value; `undefined` when it does not fit. */
  read(value: unknown): T | undefined
}

type Fields = Record<string, Field<unknown>>

/** What is read: every field may be absent. */
export type Values<F extends Fields> = { [Key in keyof F]?: F[Key] extends Field<infer T> ? T : never }

/**
 * Reads a JSON object.
 *
 * @throws RequestProblem 400 that names the first field which does not fit, or does not exist.
 */
export function readFields<F extends Fields>(body: Record<string, unknown>, fields: F): Values<F> {
  const values: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(body)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined)
      throw badRequest(`${name}: no such field; there are ${Object.keys(fields).join(', ')}`, name)
    if (given === null || given === undefined) continue
    const value = field.read(given)
    if (value === undefined) throw badRequest(`${name}: must be ${field.wants}`, name)
    values[name] = value
  }
  return values as Values<F>
}

/** Reads a query, whose values are all text. */
export function readQuery<F extends Fields>(url: URL, fields: F): Values<F> {
  const names = [...url.searchParams.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw badRequest(`${twice}: given twice`, twice)
  const given = Object.fromEntries([...url.searchParams].filter(([, value]) => value !== ''))
  return readFields(given, fields)
}

/** Text of a bounded length. */
export function text(longest = 255): Field<string> {
  return {
    wants: `text of 1 to ${longest} characters`,
    read: (value) => (isStorable(value) && value !== '' && value.length <= longest ? value : undefined),
  }
}

/** Text that Postgres can hold. */
function isStorable(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

/** A whole number of a JSON body. */
export function whole(least: number, most: number): Field<number> {
  return {
    wants: `a whole number from ${least} to ${most}`,
    read: (value) =>
      Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
        ? (value as number)
        : undefined,
  }
}

/** A whole number of a query. */
export function wholeText(least: number, most: number): Field<number> {
  const number = whole(least, most)
  return {
    ...number,
    read: (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? number.read(Number(value)) : undefined),
  }
}

/** A duration, in milliseconds. */
export function duration(least: number, most: number): Field<number> {
  return {
    wants: `${DURATION_FORM}, from ${least} to ${most} ms`,
    read(value) {
      const milliseconds = parseDuration(value)
      return milliseconds !== undefined && milliseconds >= least && milliseconds <= most ? milliseconds : undefined
    },
  }
}

/** An instant: ISO 8601 with a zone, or milliseconds since the epoch. */
export const instant: Field<Date> = {
  wants: 'a date in ISO 8601 with a time zone, or milliseconds since the epoch',
  read(value) {
    const number = typeof value === 'number' ? value : /^\d{1,15}$/.test(String(value)) ? Number(value) : undefined
    if (number === undefined && !ISO.test(String(value))) return undefined
    const date = new Date(number ?? String(value))
    return Number.isNaN(date.getTime()) ? undefined : date
  },
}

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/i

/** One of some words. */
export function oneOf<const Word extends string>(...words: Word[]): Field<Word> {
  return { wants: `one of ${words.join(', ')}`, read: (value) => words.find((word) => word === value) }
}

/** A JSON object. */
export const object: Field<Record<string, unknown>> = {
  wants: 'an object',
  read: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined,
}

/** `true`; as text in a query. */
export const yes: Field<true> = {
  wants: 'true',
  read: (value) => (value === true || value === 'true' ? true : undefined),
}

/** Several ids: an array in a body, separated by commas in a query. */
export function ids(most: number): Field<string[]> {
  return {
    wants: `1 to ${most} ids`,
    read(value) {
      const list: unknown = typeof value === 'string' ? value.split(',') : value
      const fits = Array.isArray(list) && list.length >= 1 && list.length <= most && list.every(isId)
      return fits ? list : undefined
    },
  }
}

/** Whether a text looks like an id of a message, a dead letter or a schedule. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)
}
