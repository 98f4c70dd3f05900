/** The keys of a message as it is dispatched: its parts, and its options flat beside them. */
import { isReadable, shown } from '../base/options.js'
import { unknown, unknownKey } from '../base/suggestions.js'
import { joinPath } from './json-problem.js'
import { invalid } from './serialization.js'

/** What a message consists of. */
export const MESSAGE_PARTS = ['type', 'payload', 'metadata']

/** The options of a dispatch. */
export const OPTION_NAMES = [
  'transport',
  'queue',
  'priority',
  'scheduledAt',
  'delay',
  'idempotencyKey',
  'headers',
  'metadata',
  'maxRetries',
]

const KEYS = [...new Set([...MESSAGE_PARTS, ...OPTION_NAMES])]

/**
 * The options that stand flat beside `type` and `payload`; `undefined` if there are none. Its `metadata` are a part of
 * the message.
 *
 * @throws MessageValidationError `SYMPHONY_UNKNOWN_OPTION` naming a key that is neither part nor option: it would be
 * left out without a word.
 */
export function flatOptions(message: object): Record<string, unknown> | undefined {
  let options: Record<string, unknown> | undefined
  for (const key in message) {
    if (key === 'type' || key === 'payload' || key === 'metadata') continue
    const value = (message as Record<string, unknown>)[key]
    if (value === undefined || !Object.hasOwn(message, key)) continue
    if (!OPTION_NAMES.includes(key)) throw unknownKeyOf(key)
    options ??= {}
    options[key] = value
  }
  return options
}

/**
 * Refuses what a definition's `create()` is given beside the payload, unless it is options.
 *
 * @throws MessageValidationError `SYMPHONY_UNKNOWN_OPTION`; a fact about the message has its place in `metadata`.
 */
export function mustBeDispatchOptions(options: unknown): void {
  if (!isReadable(options))
    throw invalid('SYMPHONY_UNKNOWN_OPTION', 'options', `got ${shown(options)}, wants an object`)
  const stray = unknownKey(options, OPTION_NAMES)
  if (stray === undefined) return
  const name = stray.slice(0, 60).toWellFormed()
  const problem = `${unknown('option', name, OPTION_NAMES)}; facts about a message belong into metadata, as { metadata: { … } }`
  throw invalid('SYMPHONY_UNKNOWN_OPTION', joinPath('options', name), problem)
}

function unknownKeyOf(key: string): Error {
  const problem =
    key === 'options'
      ? 'unknown key; put the options flat beside type and payload, as { type, payload, priority: 7 }'
      : unknown('key', key, KEYS)
  return invalid('SYMPHONY_UNKNOWN_OPTION', joinPath('message', key.slice(0, 60).toWellFormed()), problem)
}
