/** Validation of a message before it is sent. */
import { shown } from '../base/options.js'
import { flatOptions } from './keys.js'
import type { Message } from './message.js'
import { invalid, serializeMessage } from './serialization.js'

/**
 * Checks that a value is a message that can be stored, and returns it.
 *
 * `dispatch()` does this itself; the function is for code that takes messages from outside, such as an HTTP route. Only
 * `dispatch()` checks the limits of the configuration (payload size) and of routing.
 *
 * @throws MessageValidationError with `code` and `path` of the first problem.
 */
export function validateMessage(message: unknown): Message {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw invalid('SYMPHONY_INVALID_TYPE', 'message', `got ${shown(message)}, wants an object { type, payload }`)
  }
  const { type, metadata } = message as Partial<Message>
  if (typeof type !== 'string') throw invalid('SYMPHONY_INVALID_TYPE', 'type', `got ${typeof type}, wants a string`)
  if (type.trim() === '')
    throw invalid('SYMPHONY_INVALID_TYPE', 'type', 'is empty, wants a string of 1 to 190 characters')
  if (metadata !== undefined && !isRecord(metadata)) {
    throw invalid('SYMPHONY_INVALID_HEADERS', 'metadata', `got ${shown(metadata)}, wants an object`)
  }
  flatOptions(message)
  serializeMessage(message as Message)
  return message as Message
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
