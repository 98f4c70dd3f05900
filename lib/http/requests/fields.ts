/** Fields of a body, or parameters of a query, checked one by one. */
import { DURATION_FORM, parseDuration } from '../../base/duration.js'
import { INSTANT_FORM, parseDay, parseInstant } from '../../base/instant.js'
import { unknown } from '../../base/suggestions.js'
import { isStorable } from '../../message/json-problem.js'
import { badRequest } from '../responses/problem.js'

/** Accepts a value if it is valid. */
export interface Field<T> {
  /** What is allowed, after "wants". */
  wants: string
  /** The value; `undefined` if it is invalid. */
  read(value: unknown): T | undefined
  /** What is allowed as JSON Schema, for the OpenAPI document. */
  schema: JsonSchema
}

/** Part of a JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = Record<string, unknown>

/** Fields by name. */
export type Fields = Record<string, Field<unknown>>

/** The result: every field may be absent. */
export type Values<F extends Fields> = { [Key in keyof F]?: F[Key] extends Field<infer T> ? T : never }

/**
 * Reads a JSON object. A field that is `null` counts as not given.
 *
 * @throws RequestProblem 400 that names the first invalid or unknown field.
 */
export function readFields<F extends Fields>(body: Record<string, unknown>, fields: F): Values<F> {
  const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined)
  return readExactly(Object.fromEntries(given), fields, Object.keys(body))
}

/**
 * Reads the fields of a filter that says what to delete or move: one that is `null`, or empty in a query, would match
 * more than intended.
 *
 * @throws RequestProblem as {@link readFields}.
 */
export function readExactly<F extends Fields>(
  body: Record<string, unknown>,
  fields: F,
  names: string[] = Object.keys(body),
): Values<F> {
  const stray = names.find((name) => !Object.hasOwn(fields, name))
  if (stray !== undefined) {
    throw badRequest(`${cut(stray)}: ${unknown('field', stray, Object.keys(fields))}`, cut(stray))
  }
  const values: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(body)) {
    const field = fields[name] as Field<unknown>
    const value = field.read(given)
    if (value === undefined) throw badRequest(`${name}: got ${shown(given)}, wants ${field.wants}`, name)
    values[name] = value
  }
  return values as Values<F>
}

/** Reads a query, whose values are all text. An empty parameter counts as not given. */
export function readQuery<F extends Fields>(url: URL, fields: F): Values<F> {
  const given = queryOf(url)
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  return readExactly(filled, fields, Object.keys(given))
}

/**
 * The parameters of a query.
 *
 * @throws RequestProblem 400 for a parameter that is given twice.
 */
export function queryOf(url: URL): Record<string, string> {
  const names = [...url.searchParams.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw badRequest(`${cut(twice)}: given twice, wanted once`, cut(twice))
  return Object.fromEntries(url.searchParams)
}

/** What was found, briefly. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : cut(JSON.stringify(value) ?? typeof value)
}

/** The beginning of a text that may be long. */
export function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text
}

/** Text of a bounded length. */
export function text(longest = 255): Field<string> {
  return {
    wants: `text of 1 to ${longest} characters`,
    schema: { type: 'string', minLength: 1, maxLength: longest },
    read: (value) => (isStorable(value) && value !== '' && value.length <= longest ? value : undefined),
  }
}

/** A whole number of a JSON body. */
export function whole(least: number, most: number): Field<number> {
  return {
    wants: `a whole number from ${least} to ${most}`,
    schema: { type: 'integer', minimum: least, maximum: most },
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
    schema: {
      anyOf: [
        { type: 'integer', minimum: least, maximum: most },
        { type: 'string', pattern: '^\\d+(ms|s|m|h|d)$', examples: ['30s'] },
      ],
    },
    read(value) {
      const milliseconds = parseDuration(value)
      return milliseconds !== undefined && milliseconds >= least && milliseconds <= most ? milliseconds : undefined
    },
  }
}

/** An instant, or a day, which means its beginning in UTC. In a query, milliseconds are text. */
export const instant: Field<Date> = {
  wants: `${INSTANT_FORM}, or a day such as 2026-12-31`,
  schema: {
    anyOf: [
      { type: 'string', format: 'date-time' },
      { type: 'string', format: 'date' },
      { type: 'integer', description: 'milliseconds since 1970' },
    ],
  },
  read(value) {
    const given = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
    const time = parseInstant(given) ?? (typeof given === 'string' ? parseDay(given) : undefined)
    return time === undefined ? undefined : new Date(time)
  },
}

/** One of some words. */
export function oneOf<const Word extends string>(...words: Word[]): Field<Word> {
  const schema = { type: 'string', enum: words }
  return { wants: `one of ${words.join(', ')}`, schema, read: (value) => words.find((word) => word === value) }
}

/** A JSON object. */
export const object: Field<Record<string, unknown>> = {
  wants: 'an object',
  schema: { type: 'object' },
  read: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined,
}

/** `true`; as text in a query. */
export const yes: Field<true> = {
  wants: 'true',
  schema: { const: true },
  read: (value) => (value === true || value === 'true' ? true : undefined),
}

/** Several ids: an array in a body, separated by commas in a query. */
export function ids(most: number): Field<string[]> {
  return {
    wants: `1 to ${most} ids`,
    schema: { type: 'array', items: { type: 'string', format: 'uuid' }, minItems: 1, maxItems: most },
    read(value) {
      const list: unknown = typeof value === 'string' ? value.split(',') : value
      const fits = Array.isArray(list) && list.length >= 1 && list.length <= most && list.every(isId)
      return fits ? list : undefined
    },
  }
}

/** Who does it and why, for the audit. */
export const BECAUSE = { actor: text(), reason: text(1_000) }

/** Whether a text looks like an id of a message, a dead letter or a schedule. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)
}
