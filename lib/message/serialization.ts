/** Messages as JSON text, and back. */
import { types } from 'node:util'
import { MessageValidationError, SerializationError } from '../base/errors.js'
import { shown } from '../base/options.js'
import { isPlainObject } from '../base/plain-object.js'
import type { MessageText } from './extras.js'
import { builtIn } from './json-loss.js'
import { findProblem, isLossless, looksSuspicious } from './json-problem.js'
import type { Message, MessageParts } from './message.js'

/**
 * A message as JSON text.
 *
 * @param text its parts as they arrived, which are sent unchanged once the message has been checked.
 * @throws MessageValidationError naming the path of what JSON or Postgres cannot represent.
 */
export function serializeMessage(message: MessageParts, text?: MessageText): string {
  if (typeof message !== 'object' || message === null) {
    throw invalid('SYMPHONY_INVALID_TYPE', 'message', `got ${shown(message)}, wants an object { type, payload }`)
  }
  const type = stringifyPart(message.type, 'type', 'SYMPHONY_INVALID_TYPE')
  const checked = stringifyPayload(message.payload)
  const facts = stringifyPart(message.metadata, 'metadata', 'SYMPHONY_INVALID_HEADERS')
  const [payload, metadata] = [text?.payload ?? checked, text?.metadata ?? facts]
  return `{${type === undefined ? '' : `"type":${type},`}"payload":${payload}${metadata ? `,"metadata":${metadata}` : ''}}`
}

/**
 * A message from JSON text.
 *
 * @throws SerializationError when the text is not JSON, or not a message.
 */
export function deserializeMessage(text: string): Message {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SerializationError(`the message is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (isMessage(value)) return value
  throw new SerializationError(
    'the text is JSON but not a message: it needs a `type` (string) and a `payload` (object)',
  )
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  const { type, payload } = value as Partial<Message>
  return typeof type === 'string' && typeof payload === 'object' && payload !== null && !Array.isArray(payload)
}

/** A payload as JSON text: always an object. */
export function stringifyPayload(payload: unknown): string {
  const misfit = payloadMisfit(payload)
  if (misfit !== undefined) throw invalidPayload('payload', misfit)
  const json = stringifyPart(payload, 'payload', 'SYMPHONY_INVALID_PAYLOAD')
  if (json?.startsWith('{')) return json
  throw invalidPayload('payload', 'its toJSON() returns something else than a JSON object')
}

/** Why a value is not a payload, without looking inside. */
function payloadMisfit(payload: unknown): string | undefined {
  if (typeof payload !== 'object') return `got ${typeof payload}, wants an object`
  if (payload === null) return 'got null, wants an object'
  if (isPlainObject(payload)) return undefined
  if (Array.isArray(payload)) return 'got an array, wants an object; put it into a field, as { items: […] }'
  const kind = types.isDate(payload) ? 'a Date' : (builtIn(payload)?.name ?? wrapped(payload))
  return kind && `got ${kind}, whose contents JSON does not show, wants a plain object`
}

function wrapped(payload: object): string | undefined {
  return types.isBoxedPrimitive(payload) ? 'a wrapped primitive' : undefined
}

/**
 * A part of a request as JSON text; `undefined` if it is absent.
 *
 * @throws MessageValidationError with `code` if JSON or Postgres cannot represent it.
 */
export function stringifyPart(value: unknown, path: string, code: string): string | undefined {
  if (value === undefined) return undefined
  const json = stringifyOrThrow(value, path, code)
  if (json === undefined) throw invalid(code, path, `got ${typeof value}, wants JSON`)
  if (looksSuspicious(json) || !isLossless(value)) refuseProblem(value, path, code)
  return json
}

function stringifyOrThrow(value: unknown, path: string, code: string): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    refuseProblem(value, path, code, cause)
    throw invalid(code, path, `cannot become JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function refuseProblem(value: unknown, path: string, code: string, cause?: unknown): void {
  const found = findProblem(value, path)
  if (found !== undefined) throw invalid(code, found.path, found.problem, cause)
}

function invalidPayload(path: string, problem: string): MessageValidationError {
  return invalid('SYMPHONY_INVALID_PAYLOAD', path, problem)
}

/** The error of a message whose part at `path` breaks a rule, worded as the core words it. */
export function invalid(code: string, path: string, problem: string, cause?: unknown): MessageValidationError {
  return new MessageValidationError(`${path}: ${problem}`, { code, details: { path }, cause })
}
