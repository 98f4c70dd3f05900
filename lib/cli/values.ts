/** Values of options, read and checked: what does not fit is wrong usage. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../base/duration.js'
import { INSTANT_FORM, parseDay, parseInstant } from '../base/instant.js'

/** A whole number from `least`. */
export function whole(least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`Wants a whole number from ${least}.`)
  }
}

/** Milliseconds. A number alone is seconds, as on every command line. */
export function duration(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : parseDuration(text)
  if (value !== undefined && value > 0) return value
  throw new InvalidArgumentError("Wants a duration such as '30s', '5m', '2h', '7d', or seconds.")
}

/** The same, or 0 for at once. */
export function due(text: string): number {
  return text === '0' ? 0 : duration(text)
}

/** Milliseconds since the epoch: an instant, a day, or that long ago. */
export function past(text: string): number {
  const ago = parseDuration(text.replace(/^-/, ''))
  const time = ago === undefined ? (parseInstant(text) ?? parseDay(text)) : Date.now() - ago
  if (time !== undefined) return time
  throw new InvalidArgumentError("Wants '2h' for two hours ago, a day, or an instant such as 2026-11-30T09:00:00Z.")
}

/** An instant to come. */
export function future(text: string): number {
  const time = parseInstant(text)
  if (time !== undefined) return time
  throw new InvalidArgumentError(`Wants ${INSTANT_FORM}.`)
}

/** Text for an option that may be given several times. */
export function collected(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',').filter((part) => part !== '')]
}

/** `name=value`, for an option that may be given several times. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Wants name=value.')
  return { ...before, [name]: value }
}
