/** A message and its options as the text that the core dispatches. */
import { types } from 'node:util'
import { DURATION_FORM, parseDuration } from '../base/duration.js'
import { INSTANT_FORM, looksLikeSeconds, NOT_SECONDS, parseInstant } from '../base/instant.js'
import { unknown } from '../base/suggestions.js'
import type { MessageText } from '../message/extras.js'
import { joinPath } from '../message/json-problem.js'
import { OPTION_NAMES } from '../message/keys.js'
import type { MessageParts } from '../message/message.js'
import { invalid, serializeMessage, stringifyPart } from '../message/serialization.js'
import type { DispatchOptions } from './types.js'

/** The code of each invalid option. */
const CODES: Record<string, string> = {
  priority: 'SYMPHONY_INVALID_PRIORITY',
  scheduledAt: 'SYMPHONY_INVALID_SCHEDULED_AT',
  delay: 'SYMPHONY_INVALID_DELAY',
  idempotencyKey: 'SYMPHONY_INVALID_IDEMPOTENCY_KEY',
  queue: 'SYMPHONY_INVALID_QUEUE',
  headers: 'SYMPHONY_INVALID_HEADERS',
  metadata: 'SYMPHONY_INVALID_HEADERS',
  maxRetries: 'SYMPHONY_INVALID_MAX_RETRIES',
}

function codeOf(key: string): string {
  return (Object.hasOwn(CODES, key) && CODES[key]) || 'SYMPHONY_UNKNOWN_OPTION'
}

/**
 * The request as JSON: a snapshot that later changes to the message do not affect.
 *
 * Only what JSON cannot represent is refused here. The core, which has the limits, judges the rest.
 */
export function toRequest(message: MessageParts, options: DispatchOptions | undefined, text?: MessageText): string {
  const json = serializeMessage(message, text)
  const extra = options === undefined ? undefined : stringifyOptions(options)
  return extra === undefined ? json : `${json.slice(0, -1)},"options":${extra}}`
}

function stringifyOptions(options: DispatchOptions): string | undefined {
  const parts: string[] = []
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (!OPTION_NAMES.includes(key))
      throw invalid(codeOf(key), joinPath('options', key), unknown('option', key, OPTION_NAMES))
    const json = stringifyPart(normalise(key, value), `options.${key}`, codeOf(key))
    if (json !== undefined) parts.push(`${JSON.stringify(key)}:${json}`)
  }
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`
}

function normalise(key: string, value: unknown): unknown {
  if (key === 'scheduledAt') return instant(value)
  if (key === 'delay' && typeof value === 'string') return delay(value)
  return finite(key, value)
}

/** `JSON.stringify` would write null, and null reads as "not given". */
function finite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw invalid(codeOf(key), `options.${key}`, `got ${value}, wants a finite number`)
}

function instant(value: unknown): unknown {
  if (looksLikeSeconds(value))
    throw invalid('SYMPHONY_INVALID_SCHEDULED_AT', 'options.scheduledAt', `got ${value}, wants ${NOT_SECONDS}`)
  if (typeof value === 'number') return finite('scheduledAt', value)
  if (!types.isDate(value) && typeof value !== 'string') return value
  const time = parseInstant(value)
  if (time !== undefined) return time
  const found = typeof value === 'string' ? `got ${JSON.stringify(value.slice(0, 60))}` : dateProblem(value)
  throw invalid('SYMPHONY_INVALID_SCHEDULED_AT', 'options.scheduledAt', `${found}, wants ${INSTANT_FORM}`)
}

function dateProblem(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'is an invalid Date' : `got ${date.toISOString()}`
}

function delay(value: string): number {
  const time = parseDuration(value)
  if (time !== undefined) return time
  const got = JSON.stringify(value)
  throw invalid('SYMPHONY_INVALID_DELAY', 'options.delay', `got ${got}, wants ${DURATION_FORM}`)
}

/** A message's options over the defaults of its batch. Headers and metadata are merged, the rest replaced. */
export function overDefaults(
  defaults: DispatchOptions | undefined,
  own: DispatchOptions | undefined,
): DispatchOptions | undefined {
  if (defaults === undefined || own === undefined) return own ?? defaults
  const merged: DispatchOptions = { ...defaults, ...withoutUndefined(own) }
  if (defaults.headers && own.headers) merged.headers = { ...defaults.headers, ...own.headers }
  if (defaults.metadata && own.metadata) merged.metadata = { ...defaults.metadata, ...own.metadata }
  return merged
}

function withoutUndefined(options: DispatchOptions): DispatchOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
