/** `POST dispatch`. */
import type { EffectiveConfig } from '../../config/model.js'
import type { DispatchOptions, DispatchResult } from '../../dispatch/types.js'
import { withExtras } from '../../message/extras.js'
import type { MessageInput } from '../../message/message.js'
import { partsOf } from '../../symphony.js'
import { readBody } from '../requests/body.js'
import { cut, object, readFields } from '../requests/fields.js'
import { textAt } from '../requests/json-text.js'
import { Answer, publicError } from '../responses/answer.js'
import { badRequest } from '../responses/problem.js'
import { namingTransport } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

/** Allowance for everything around payload, headers and metadata: names, the other options, blanks. */
const ENVELOPE_BYTES = 64 * 1_024

const MESSAGE_KEYS = ['type', 'payload', 'metadata']

export const dispatching: Endpoint[] = [{ method: 'POST', path: 'dispatch', run: dispatchOne }]

async function dispatchOne({ request, symphony }: Call): Promise<Answer> {
  const body = await readBody(request, largest(partsOf(symphony).configuration.peek().payload))
  if (body === undefined) throw badRequest('the body must be { "message": { "type", "payload" }, "options"? }')
  const { message, options } = readFields(body.value, { message: object, options: object })
  if (message === undefined) throw badRequest('message: must be { "type", "payload" }', 'message')
  const unknown = Object.keys(message).find((key) => !MESSAGE_KEYS.includes(key))
  if (unknown !== undefined) {
    const path = `message.${cut(unknown)}`
    throw badRequest(`${path}: unknown field; the fields are ${MESSAGE_KEYS.join(', ')}`, path)
  }
  // Numbers are stored as they were sent: a double cannot hold all of them.
  const text = { payload: textAt(body.text, 'message', 'payload'), metadata: textAt(body.text, 'message', 'metadata') }
  const exact = withExtras(message as unknown as MessageInput, { text })
  const result = await namingTransport(
    symphony.dispatch(exact, options as DispatchOptions | undefined),
    'options.transport',
  )
  return new Answer({ success: true, ...shown(result) }, result.status === 'duplicate' ? 200 : 201)
}

function largest({ maxBytes, maxHeadersBytes, maxMetadataBytes }: EffectiveConfig['payload']): number {
  return maxBytes + maxHeadersBytes + maxMetadataBytes + ENVELOPE_BYTES
}

function shown({ messages, ...result }: DispatchResult): object {
  if (messages.length < 2) return result
  const each = messages.map((entry) => ('error' in entry ? { ...entry, error: publicError(entry.error) } : entry))
  return { ...result, messages: each }
}
