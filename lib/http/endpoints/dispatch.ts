/** `POST dispatch`. */
import { unknown, unknownKey } from '../../base/suggestions.js'
import type { EffectiveConfig } from '../../config/model.js'
import type { DispatchOptions, DispatchResult, MessageInput } from '../../dispatch/types.js'
import { schemaOf } from '../../message/define.js'
import { withExtras } from '../../message/extras.js'
import { MESSAGE_PARTS, OPTION_NAMES } from '../../message/keys.js'
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

export const REQUEST = { message: object, options: object }

export const dispatching: Endpoint[] = [{ method: 'POST', path: 'dispatch', run: dispatchOne }]

async function dispatchOne({ request, symphony }: Call): Promise<Answer> {
  const body = await readBody(request, largest(partsOf(symphony).configuration.peek().payload))
  if (body === undefined)
    throw badRequest('the body: got nothing, wants { "message": { "type", "payload" }, "options"? }')
  const { message, options } = readFields(body.value, REQUEST)
  if (message === undefined) throw badRequest('message: got nothing, wants { "type", "payload" }', 'message')
  const unknownField = unknownKey(message, MESSAGE_PARTS)
  if (unknownField !== undefined) {
    const path = `message.${cut(unknownField)}`
    const hint = OPTION_NAMES.includes(unknownField) ? '; options belong into options, beside message' : ''
    throw badRequest(`${path}: ${unknown('field', unknownField, MESSAGE_PARTS)}${hint}`, path)
  }
  // Numbers are stored as they were sent: a double cannot hold all of them.
  const text = { payload: textAt(body.text, 'message', 'payload'), metadata: textAt(body.text, 'message', 'metadata') }
  const exact = withExtras(message as unknown as MessageInput, { text, schema: schemaOf(message.type) })
  const result = await namingTransport(
    symphony.dispatch(exact, options as DispatchOptions | undefined),
    'options.transport',
  )
  return new Answer({ success: true, ...shown(result) }, result.status === 'duplicate' ? 200 : 201)
}

/** How large a body with a message may be. */
export function largest({ maxBytes, maxHeadersBytes, maxMetadataBytes }: EffectiveConfig['payload']): number {
  return maxBytes + maxHeadersBytes + maxMetadataBytes + ENVELOPE_BYTES
}

function shown({ messages, ...result }: DispatchResult): object {
  if (messages.length < 2) return result
  const each = messages.map((entry) => ('error' in entry ? { ...entry, error: publicError(entry.error) } : entry))
  return { ...result, messages: each }
}
