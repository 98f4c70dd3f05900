/** Changing a message that waits. */

import { type Because, becauseText } from '../base/because.js'
import type { Duration } from '../base/duration.js'
import { ConfigurationError } from '../base/errors.js'
import { type Check, checked, duration, instant, must, shown, text, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import { schemaOf } from '../message/define.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { parsePayload } from '../message/schema.js'
import { stringifyPart, stringifyPayload } from '../message/serialization.js'
import type { MessageStatus } from './messages.js'

/** What changes of a message; what is not given stays as it is. */
export interface MessageChanges {
  /** Another payload, instead of all of it. If this process has defined its type, the schema checks it. */
  payload?: Record<string, unknown>
  /** The same as JSON, of which every digit is kept; `payloadText` of {@link MessageContents} changed. */
  payloadText?: string
  /** Other headers, instead of all of them. */
  headers?: MessageHeaders
  /** Other metadata, instead of all of it. */
  metadata?: MessageMetadata
  /** Another queue of its transport. */
  queue?: string
  /** Another priority, 1 to 10. */
  priority?: number
  /** How many retries are allowed. */
  maxRetries?: number
  /** Due at this instant. */
  scheduledAt?: Date | number | string
  /** Due after this time, instead of `scheduledAt`; 0: now. */
  delay?: Duration
}

/** What became of a change. */
export interface Edited {
  /** Whether the message has changed. */
  edited: boolean
  /** The state of the message; `null`: the id is unknown. */
  status: MessageStatus | null
}

/** Changing messages of an instance. */
export interface EditFunctions {
  /**
   * Changes a message that waits: its payload, headers and metadata, its queue and priority, when it is due. Its id, its
   * place by age and its idempotency key stay. One that is being handled, or is over, stays as it is.
   *
   * The audit says who has changed which of these, and never what they hold.
   *
   * @param because who and why, for the audit.
   * @throws ConfigurationError naming an option that is not valid, or if nothing changes; MessageValidationError as
   * `dispatch()` for what no message can hold, and for a payload that its schema refuses.
   *
   * @example
   * await editMessage(id, { payload: { to: 'ada@example.com' }, delay: 0 }, { actor: 'bob', reason: 'typing error' })
   */
  editMessage(id: string, changes: MessageChanges, because?: Because): Promise<Edited>
}

/** The functions over a core. */
export function editFunctions(core: Core): EditFunctions {
  return {
    async editMessage(id: string, changes: MessageChanges, because?: Because): Promise<Edited> {
      const said = becauseText(because)
      const given = checked(changes, CHANGES)
      const known = text(id, 'id')
      const typeOf = async (): Promise<string | undefined> =>
        (await core.ask<{ type: string } | null>((it) => it.getMessage(known)))?.type
      const asked = await toChanges(given, typeOf)
      const answer = await core.ask<Edited | null>((it) => it.editMessage(known, asked, said))
      return answer ?? { edited: false, status: null }
    },
  }
}

/** The changes as JSON text, with the payload as it was written. */
async function toChanges(
  { payload, payloadText, headers, metadata, ...others }: Record<string, unknown>,
  typeOf: () => Promise<string | undefined>,
): Promise<string> {
  if (payload !== undefined && payloadText !== undefined) {
    throw new ConfigurationError('options.payloadText: must not stand beside `payload`')
  }
  const exact = payloadText as string | undefined
  const parsed = exact === undefined ? payload : parse(exact)
  const entries = Object.entries(others).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const parts = [
    ['payload', parsed === undefined ? undefined : await accepted(parsed, exact, typeOf)],
    ['headers', stringifyPart(headers, 'headers', 'SYMPHONY_INVALID_HEADERS')],
    ['metadata', stringifyPart(metadata, 'metadata', 'SYMPHONY_INVALID_HEADERS')],
    ...entries,
  ] as const
  const given = parts.filter(([, json]) => json !== undefined)
  return `{${given.map(([name, json]) => `"${name}":${json}`).join(',')}}`
}

/** The payload as JSON text, if its schema accepts it. */
async function accepted(
  payload: unknown,
  exact: string | undefined,
  typeOf: () => Promise<string | undefined>,
): Promise<string> {
  stringifyPayload(payload)
  const type = await typeOf()
  const schema = schemaOf(type)
  const result = schema === undefined || type === undefined ? payload : await parsePayload(schema, type, payload)
  return exact ?? stringifyPayload(result)
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Without what Node.js says: it quotes the text, which may be secret.
    throw new ConfigurationError('options.payloadText: got a text that is not JSON, wants a JSON object')
  }
}

const object: Check = (value, key) => must(typeof value === 'object' && value !== null, key, value, 'an object', value)

const CHANGES: Record<keyof MessageChanges, Check> = {
  payload: (value, key) => must(typeof value === 'object', key, shown(value), 'an object', value),
  payloadText: words,
  headers: object,
  metadata: object,
  queue: words,
  priority: whole(1, 10),
  maxRetries: whole(0, 2_147_483_647),
  scheduledAt: instant,
  delay: duration,
}
