/** A schedule and its message as the JSON that the core stores. */

import { DURATION_FORM, parseDuration } from '../base/duration.js'
import { MessageValidationError, SchedulerError } from '../base/errors.js'
import { INSTANT_FORM, looksLikeSeconds, NOT_SECONDS, parseInstant } from '../base/instant.js'
import { isReadable, shown } from '../base/options.js'
import { unknown, unknownKey } from '../base/suggestions.js'
import { prepare } from '../dispatch/prepare.js'
import type { DispatchOptions, MessageInput } from '../dispatch/types.js'
import type { ScheduleConfig, ScheduleOptions, ScheduleTiming } from './types.js'

type Check = (path: string, value: unknown) => unknown

const MESSAGE_OPTIONS = ['transport', 'queue', 'priority', 'headers', 'metadata', 'maxRetries']

const OPTIONS: Record<string, Check> = {
  name: text,
  from: instant,
  until: instant,
  jitter: duration,
  maxRuns: finite,
  missed: oneOf('once', 'all', 'skip'),
  maxMissed: finite,
  missedAfter: duration,
  overlap: oneOf('allow', 'skip'),
}

const TIMING: Record<string, Check> = { at: instant, cron: text, every: duration, timezone: text, seed: text }

/** Other names in a {@link ScheduleConfig}. */
const SYNONYMS: Record<string, string> = { expression: 'cron', interval: 'every' }

const KEYS = { once: 'at', cron: 'cron', interval: 'every' } as const

/**
 * The definition as JSON. The core judges what it means and what is allowed.
 *
 * @throws SchedulerError naming the option; MessageValidationError for the message.
 */
export async function toDefinition(
  message: MessageInput,
  timing: ScheduleTiming | ScheduleConfig,
  options: ScheduleOptions = {},
): Promise<string> {
  mustBeObject('when', timing)
  mustBeObject('options', options)
  const { when, maxRuns } = toTiming(timing)
  const own: Record<string, unknown> = maxRuns === undefined ? {} : { maxRuns: finite('maxRuns', maxRuns) }
  const ofMessage: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    const check = OPTIONS[key]
    if (check !== undefined) own[key] = check(`options.${key}`, value)
    else if (MESSAGE_OPTIONS.includes(key)) ofMessage[key] = value
    else throw unknownOption(`options.${key}`, 'option', key, known())
  }
  const request = await prepare(message, ofMessage as DispatchOptions)
  return `{"message":${request},"when":${JSON.stringify(when)},"options":${JSON.stringify(own)}}`
}

function known(): string[] {
  return [...Object.keys(OPTIONS), ...MESSAGE_OPTIONS]
}

function toTiming(timing: ScheduleTiming | ScheduleConfig): { when: Record<string, unknown>; maxRuns?: unknown } {
  if (!('type' in timing)) return { when: checked('when', timing) }
  const { type, config, timezone, maxRuns, ...rest } = timing
  const [stray] = Object.keys(rest)
  if (stray !== undefined) {
    throw unknownOption(`when.${stray}`, 'key', stray, ['type', 'config', 'timezone', 'maxRuns'])
  }
  const key = KEYS[type]
  if (key === undefined) throw refused('when.type', type, "wants 'once', 'cron' or 'interval'")
  mustBeObject('when.config', config)
  const named = Object.fromEntries(Object.entries(config).map(([name, value]) => [SYNONYMS[name] ?? name, value]))
  if (named[key] === undefined) throw refused(`when.config.${key}`, undefined, `type '${type}' wants it`)
  return { when: checked('when.config', { ...named, ...(timezone !== undefined && { timezone }) }), maxRuns }
}

function checked(path: string, given: object): Record<string, unknown> {
  const when: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const check = TIMING[key]
    if (check === undefined) throw unknownOption(`${path}.${key}`, 'key', key, Object.keys(TIMING))
    when[key] = check(`${path}.${key}`, value)
  }
  return when
}

function mustBeObject(path: string, value: unknown): void {
  if (!isReadable(value) || Array.isArray(value)) throw refused(path, value, 'wants an object')
}

/** A string, such as a name. */
export function text(path: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw refused(path, value, 'wants a string')
}

function finite(path: string, value: unknown): unknown {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw refused(path, value, 'wants a whole number')
}

function duration(path: string, value: unknown): number {
  const milliseconds = parseDuration(value)
  if (milliseconds !== undefined) return Math.round(milliseconds)
  throw refused(path, value, `wants ${DURATION_FORM}`)
}

function instant(path: string, value: unknown): number {
  if (looksLikeSeconds(value)) throw refused(path, value, `wants ${NOT_SECONDS}`)
  const time = parseInstant(value)
  if (time !== undefined) return time
  throw refused(path, value, `wants ${INSTANT_FORM}`)
}

function oneOf(...choices: string[]): Check {
  return (path, value) => {
    if (choices.includes(value as string)) return value
    throw refused(path, value, `wants ${choices.map((choice) => `'${choice}'`).join(' or ')}`)
  }
}

/**
 * Refuses options that do not exist, and would be ignored.
 *
 * @throws SchedulerError `SYMPHONY_UNKNOWN_OPTION`.
 */
export function mustBeKnown(options: object, known: readonly string[]): void {
  mustBeObject('options', options)
  const stray = unknownKey(options, known)
  if (stray !== undefined) throw unknownOption(`options.${stray}`, 'option', stray, known)
}

function unknownOption(path: string, kind: string, key: string, known: readonly string[]): SchedulerError {
  const details = { path }
  return new SchedulerError(`${path}: ${unknown(kind, key, known)}`, { code: 'SYMPHONY_UNKNOWN_OPTION', details })
}

/**
 * The same error of an entry of a list, which it names; anything else stays as it is.
 *
 * @param entry such as `schedules[2]`.
 */
export function ofEntry(entry: string, error: unknown): unknown {
  const isOurs = error instanceof SchedulerError || error instanceof MessageValidationError
  const path = isOurs ? (error.details as { path?: unknown } | null)?.path : undefined
  if (!isOurs || typeof path !== 'string') return error
  const message = error.message.startsWith(path) ? `${entry}.${error.message}` : `${entry}: ${error.message}`
  const options = {
    code: error.code,
    details: { ...(error.details as object), path: `${entry}.${path}` },
    cause: error,
  }
  return error instanceof SchedulerError
    ? new SchedulerError(message, options)
    : new MessageValidationError(message, options)
}

/** The refusal of an option. */
export function refused(path: string, got: unknown, problem: string): SchedulerError {
  const found = got === undefined ? '' : `got ${shown(got)}, `
  return new SchedulerError(`${path}: ${found}${problem}`, { code: 'SYMPHONY_INVALID_SCHEDULE', details: { path } })
}
