/** Options of functions, checked one by one: each refusal names the option, what it got and what it wants. */
import { DURATION_FORM, parseDuration } from './duration.js'
import { ConfigurationError } from './errors.js'

/** `value`, if it is valid. */
export function must<T>(fits: boolean, key: string, got: unknown, wants: string, value: T): T {
  if (fits) return value
  throw refused(key, got, `wants ${wants}`)
}

/** The refusal of an option. */
export function refused(key: string, got: unknown, problem: string): ConfigurationError {
  const shown = show(got)
  return new ConfigurationError(`option ${key}: got ${shown}, ${problem}`, { details: { key, got: shown } })
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? Object.prototype.toString.call(value).slice(8, -1)
    : String(value)
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
