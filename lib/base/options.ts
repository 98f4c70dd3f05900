/** Arguments of functions, checked one by one: each refusal names what is wrong, what it got and what it wants. */
import { DURATION_FORM, parseDuration } from './duration.js'
import { ConfigurationError } from './errors.js'
import { INSTANT_FORM, looksLikeSeconds, NOT_SECONDS, parseInstant } from './instant.js'
import { showsNothing } from './plain-object.js'
import { unknown, unknownKey } from './suggestions.js'

/** `value`, if it is valid. */
export function must<T>(fits: boolean, key: string, got: unknown, wants: string, value: T): T {
  if (fits) return value
  const found = shown(got)
  throw new ConfigurationError(`options.${key}: got ${found}, wants ${wants}`, { details: { key, got: found } })
}

/** Whether a value can be read as options: a `Map`, an empty array or a `Promise` would read as none. */
export function isReadable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !showsNothing(value)
}

/**
 * Refuses options that do not exist, and would be ignored.
 *
 * @throws ConfigurationError `SYMPHONY_UNKNOWN_OPTION`, with those there are and the one that was probably meant.
 */
export function mustBeKnown(options: object, known: readonly string[]): void {
  if (!isReadable(options)) {
    throw new ConfigurationError(`options: got ${shown(options)}, wants an object`)
  }
  const stray = unknownKey(options, known)
  if (stray !== undefined) throw unknownOption(stray, known)
}

/** The refusal of an option that does not exist. `whose` it is comes after its name. */
export function unknownOption(stray: string, known: readonly string[], whose = ''): ConfigurationError {
  const problem = `options.${stray.slice(0, 60).toWellFormed()}${whose}: ${unknown('option', stray, known)}`
  return new ConfigurationError(problem, { code: 'SYMPHONY_UNKNOWN_OPTION', details: { key: stray } })
}

/**
 * Refuses arguments that a function does not have: their caller believes that they count.
 *
 * @param more what came after those it has; `undefined` is nothing.
 * @param call how the function is called, such as `dispatch(message, options)`.
 * @throws ConfigurationError `SYMPHONY_UNKNOWN_OPTION`.
 */
export function mustBeAll(more: readonly unknown[], call: string): void {
  const stray = more.find((argument) => argument !== undefined)
  if (stray === undefined) return
  const problem = `got one argument too many (${shown(stray)}), wants ${call}`
  throw new ConfigurationError(`${call.slice(0, call.indexOf('('))}: ${problem}`, { code: 'SYMPHONY_UNKNOWN_OPTION' })
}

/** Checks one option; what it returns counts. */
export type Check = (value: unknown, key: string) => unknown

/**
 * The options that are given, each as its check returns it.
 *
 * @throws ConfigurationError as {@link mustBeKnown}, and as the checks.
 */
export function checked(options: object, checks: Record<string, Check>): Record<string, unknown> {
  mustBeKnown(options, Object.keys(checks))
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([key, value]) => [key, checks[key]?.(value, key)]))
}

/** A value in a sentence, briefly; text in quotes, objects and functions by their kind alone. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'function') return 'a function'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString()
  return typeof value === 'object' && value !== null
    ? Object.prototype.toString.call(value).slice(8, -1)
    : String(value).slice(0, 60)
}

/** An argument that is text, such as an id. */
export function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new ConfigurationError(`${name}: got ${shown(value)}, wants a string`)
}

/** A duration of any length, none included. */
export function duration(value: unknown, key: string): number {
  const milliseconds = parseDuration(value)
  return must(milliseconds !== undefined, key, value, DURATION_FORM, milliseconds as number)
}

/** A duration of a millisecond at least, in whole ones. */
export function positiveDuration(value: unknown, key: string): number {
  const milliseconds = duration(value, key)
  return must(milliseconds > 0, key, value, `${DURATION_FORM}, more than 0`, Math.ceil(milliseconds))
}

/** `true` or `false`. */
export function flag(value: unknown, key: string): unknown {
  return must(typeof value === 'boolean', key, value, 'true or false', value)
}

/** Text. */
export function words(value: unknown, key: string): unknown {
  return must(typeof value === 'string', key, value, 'a string', value)
}

/** A whole number within bounds. */
export function whole(least: number, most: number): Check {
  return (value, key) => {
    const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    return must(fits, key, value, `a whole number from ${least} to ${most}`, value)
  }
}

/** One of some words. */
export function oneOf(...choices: string[]): Check {
  const wanted = choices.map((choice) => `'${choice}'`).join(' or ')
  return (value, key) => must(choices.includes(value as string), key, value, wanted, value)
}

/** An instant, in milliseconds since the epoch. */
export function instant(value: unknown, key: string): number {
  must(!looksLikeSeconds(value), key, value, NOT_SECONDS, value)
  const time = parseInstant(value)
  return must(time !== undefined, key, value, INSTANT_FORM, time as number)
}
