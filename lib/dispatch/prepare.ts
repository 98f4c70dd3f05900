/** A message as the request that is sent, after its schema was asked. */

import { isReadable, shown } from '../base/options.js'
import { isDefinition } from '../message/define.js'
import { extrasOf } from '../message/extras.js'
import { flatOptions } from '../message/keys.js'
import { isPromise, parsePayload } from '../message/schema.js'
import { invalid } from '../message/serialization.js'
import { currentTraceContext } from '../tracing/spans.js'
import { overDefaults, toRequest } from './request.js'
import type { DispatchOptions, MessageInput } from './types.js'

/**
 * The request for a message; synchronous unless a schema must be awaited, so that the payload is copied in the call.
 *
 * @param options over those in the message, which are over the defaults of its batch, which are over those it was made
 * with.
 * @throws MessageValidationError, also as a rejection.
 */
export function prepare(
  message: MessageInput,
  options: DispatchOptions | undefined,
  defaults?: DispatchOptions,
): string | Promise<string> {
  mustBeMessage(message)
  if (options !== undefined) mustBeReadable(options)
  const extras = extrasOf(message)
  const made = overDefaults(extras?.options as DispatchOptions | undefined, defaults)
  const merged = carryTrace(overDefaults(overDefaults(made, flatOptions(message)), options))
  if (extras?.schema === undefined) return toRequest(message, merged, extras?.text)
  const payload = parsePayload(extras.schema, message.type, message.payload)
  const text = extras.text && { ...extras.text, payload: undefined }
  const finish = (valid: unknown): string => toRequest({ ...message, payload: valid as object }, merged, text)
  return isPromise(payload) ? payload.then(finish) : finish(payload)
}

/** Refuses what has no type or payload because it is something else, and says what to do with it. */
function mustBeMessage(message: MessageInput): void {
  const wants = 'wants an object { type, payload }'
  const found = misfit(message)
  if (found !== undefined) throw invalid('SYMPHONY_INVALID_TYPE', 'message', `got ${found}, ${wants}`)
}

function misfit(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return shown(message)
  if (Array.isArray(message)) return 'an array, which dispatchBatch() takes'
  if (isPromise(message)) return 'a promise, so an await is missing'
  if (isDefinition(message)) return `the definition of ${message.type}, of which create(payload) makes a message`
  return undefined
}

/** A message belongs to the trace of the request that dispatches it, unless its headers name another. */
function carryTrace(options: DispatchOptions | undefined): DispatchOptions | undefined {
  const trace = currentTraceContext()
  const headers = options?.headers
  if (trace === undefined || (headers !== undefined && (typeof headers !== 'object' || headers === null)))
    return options
  return 'traceparent' in (headers ?? {}) ? options : { ...options, headers: { ...trace, ...headers } }
}

/**
 * Refuses what cannot be read as options, and would be taken for none.
 *
 * @throws MessageValidationError
 */
export function mustBeReadable(options: unknown): void {
  if (isReadable(options)) return
  throw invalid('SYMPHONY_UNKNOWN_OPTION', 'options', `got ${shown(options)}, wants an object`)
}
