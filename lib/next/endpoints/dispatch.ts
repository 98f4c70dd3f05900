/** `POST dispatch`. */
import { peekConfig } from '../../config/effective.js'
import type { DispatchOptions, DispatchResult } from '../../dispatch-types.js'
import { dispatch } from '../../dispatcher.js'
import { SymphonyError } from '../../errors.js'
import type { MessageInput } from '../../message.js'
import { Answer, publicError } from '../answer.js'
import { readJson } from '../body.js'
import type { Call, Endpoint } from '../endpoint.js'
import { object, readFields } from '../fields.js'
import { badRequest } from '../problem.js'

/** What may stand around a payload: type, options, headers. */
const ENVELOPE_BYTES = 64 * 1_024

const MESSAGE_KEYS = ['type', 'payload', 'metadata']

export const dispatching: Endpoint[] = [{ method: 'POST', path: 'dispatch', run: dispatchOne }]

async function dispatchOne({ request }: Call): Promise<Answer> {
  const body = await readJson(request, peekConfig().payload.maxBytes + ENVELOPE_BYTES)
  if (body === undefined) throw badRequest('the body must be { "message": { "type", "payload" }, "options"? }')
  const { message, options } = readFields(body, { message: object, options: object })
  if (message === undefined) throw badRequest('message: must be { "type", "payload" }', 'message')
  const unknown = Object.keys(message).find((key) => !MESSAGE_KEYS.includes(key))
  if (unknown !== undefined) {
    throw badRequest(`message.${unknown}: no such field; there are ${MESSAGE_KEYS.join(', ')}`, `message.${unknown}`)
  }
  const result = await store(message as unknown as MessageInput, options as DispatchOptions | undefined)
  return new Answer({ success: true, ...shown(result) }, result.status === 'duplicate' ? 200 : 201)
}

async function store(message: MessageInput, options: DispatchOptions | undefined): Promise<DispatchResult> {
  try {
    return await dispatch(message, options)
  } catch (error) {
    if (error instanceof SymphonyError && NAMES.includes(error.code)) {
      throw badRequest(error.message, 'options.transport')
    }
    throw error
  }
}

/** What the caller got wrong, though it is no fault of the message. */
const NAMES = ['SYMPHONY_UNKNOWN_TRANSPORT', 'SYMPHONY_TRANSPORT_DISABLED', 'SYMPHONY_TRANSPORT_UNSUPPORTED']

function shown({ messages, ...result }: DispatchResult): object {
  if (messages.length < 2) return result
  const each = messages.map((entry) => ('error' in entry ? { ...entry, error: publicError(entry.error) } : entry))
  return { ...result, messages: each }
}
