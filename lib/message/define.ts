/** Message types with a schema: typed at dispatch, typed in the handler, validated at both ends. */
import { ConfigurationError, MessageValidationError } from '../base/errors.js'
import { ProcessSlot } from '../base/process-state.js'
import { withExtras } from './extras.js'
import { mustBeDispatchOptions } from './keys.js'
import type { MessageMetadata } from './message.js'
import type { DispatchOptions } from './options.js'
import { parsePayload } from './schema.js'
import { stringifyPayload } from './serialization.js'
import type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.js'

/** A message of a defined type, as its handlers get it. */
export interface DefinedMessage<Type extends string, Payload> {
  /** The message type. */
  type: Type
  /** The schema's input before `dispatch()`, its output in a handler. */
  payload: Payload
  /** As in any message. */
  metadata?: MessageMetadata
}

/** A message of a defined type, as {@link MessageDefinition.create} makes it: with its options flat in it. */
export interface CreatedMessage<Type extends string, Payload>
  extends DefinedMessage<Type, Payload>,
    Omit<DispatchOptions, 'metadata'> {}

/** A message type and its schema. */
export interface MessageDefinition<Type extends string = string, Schema extends StandardSchema = StandardSchema> {
  /** The message type. */
  readonly type: Type
  /** Any Standard Schema: Zod, Valibot, ArkType, … */
  readonly schema: Schema
  /**
   * A message to dispatch. Its payload is validated when it is dispatched.
   *
   * @param options as those of `dispatch()`, which take precedence; none by default.
   * @throws MessageValidationError `SYMPHONY_UNKNOWN_OPTION`.
   */
  create(payload: SchemaInput<Schema>, options?: DispatchOptions): CreatedMessage<Type, SchemaInput<Schema>>
  /**
   * The payload as the schema returns it.
   *
   * @throws MessageValidationError with `issues`, each with its path.
   */
  parse(payload: unknown): Promise<SchemaOutput<Schema>>
}

/** The message that a handler of a definition gets: `type EmailMessage = MessageOf<typeof EmailMessage>`. */
export type MessageOf<Definition extends MessageDefinition> =
  Definition extends MessageDefinition<infer Type, infer Schema> ? DefinedMessage<Type, SchemaOutput<Schema>> : never

/**
 * Defines a message type by a schema.
 *
 * What the schema returns is stored, and validated again before the handler gets it. So the schema must accept its own
 * result after a round trip through JSON: defaults, `trim` and `z.coerce.date()` do, a transform from text to number
 * does not. The first dispatch of a definition checks this and reports it.
 *
 * What comes in by HTTP (`POST dispatch`) under this type is validated too; of several definitions in the process, by
 * the last.
 *
 * @throws ConfigurationError without a type, or without a schema that implements Standard Schema.
 *
 * @example
 * const EmailMessage = defineMessage('EmailMessage', z.object({ to: z.email(), subject: z.string() }))
 * await dispatch(EmailMessage, { to: 'user@example.com', subject: 'Hello' }, { priority: 7 })
 * registerHandler(EmailMessage, async (message) => send(message.payload.to))
 */
export function defineMessage<const Type extends string, Schema extends StandardSchema>(
  type: Type,
  schema: Schema,
): MessageDefinition<Type, Schema> {
  mustBeDefinable(type, schema)
  const checked = acceptingItsOwnResult(type, schema)
  schemas().set(type, checked)
  return {
    type,
    schema,
    create(payload, options) {
      if (options !== undefined) mustBeDispatchOptions(options)
      return withExtras({ ...options, type, payload }, { schema: checked })
    },
    async parse(payload) {
      return parsePayload(schema, type, payload)
    },
  }
}

/** Schemas by message type: definitions belong to the code that is loaded, and so to the process. */
const SCHEMAS = new ProcessSlot<Map<string, StandardSchema>>('definitions')

function schemas(): Map<string, StandardSchema> {
  return SCHEMAS.get(() => new Map())
}

/** The schema that a message type was defined with, if it was. */
export function schemaOf(type: unknown): StandardSchema | undefined {
  return schemas().get(type as string)
}

function mustBeDefinable(type: unknown, schema: StandardSchema | undefined): void {
  if (typeof type !== 'string' || type.trim() === '')
    throw undefinable('wants a message type first, such as "SendMail"')
  if (typeof schema?.['~standard']?.validate === 'function') return
  throw undefinable(
    `${type} has no schema: wants one that implements Standard Schema, such as z.object({ … }) of zod from 3.24, valibot ` +
      'or arktype. A type without a schema needs no definition',
  )
}

function undefinable(problem: string): ConfigurationError {
  return new ConfigurationError(`defineMessage: ${problem}`)
}

/** Whether a value is a message definition. */
export function isDefinition(value: unknown): value is MessageDefinition {
  const { type, schema, create } = (value ?? {}) as Partial<MessageDefinition>
  return typeof type === 'string' && typeof create === 'function' && schema?.['~standard'] !== undefined
}

/** The same schema, which checks at its first success that it will accept the result at consume. */
function acceptingItsOwnResult(type: string, schema: StandardSchema): StandardSchema {
  let proven = false
  const prove = async (result: unknown): Promise<unknown> => {
    const stored: unknown = JSON.parse(stringifyPayload(result))
    const again = await schema['~standard'].validate(stored)
    if (again.issues === undefined) proven = true
    else throw refusesItself(type, again.issues[0]?.message)
    return result
  }
  const validate = (value: unknown): ReturnType<StandardSchema['~standard']['validate']> => {
    const result = schema['~standard'].validate(value)
    if (proven) return result
    return Promise.resolve(result).then(async (settled) => {
      if (settled.issues === undefined) await prove(settled.value)
      return settled
    })
  }
  return { '~standard': { version: 1, vendor: 'leadmap', validate } }
}

function refusesItself(type: string, issue: string | undefined): MessageValidationError {
  return new MessageValidationError(
    `the schema of ${type} refuses its own result (${issue}): what it returns is stored and validated again before ` +
      'the handler runs, so a transform has to accept what it gives',
    { code: 'SYMPHONY_INVALID_PAYLOAD', details: { path: 'payload' } },
  )
}
