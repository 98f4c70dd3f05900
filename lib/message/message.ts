/** Messages as an application writes them. */

/** Context of a message besides its work: who caused it, a tenant, a trace. */
export type MessageMetadata = Record<string, unknown>

/**
 * A message: its type selects the handlers, its payload is the work.
 *
 * Extend it to type a handler: `interface EmailMessage extends Message { type: 'EmailMessage'; payload: { … } }`.
 */
export interface Message {
  /** Selects transport, retry strategy and handlers. */
  type: string
  /** A JSON object. A `Date` in it becomes its ISO string, as `JSON.stringify` does. */
  payload: Record<string, unknown>
  /** Stored with the payload and passed to the handler. */
  metadata?: MessageMetadata
}

/** A message of which only the name of its type is known: the values of its payload are not checked. */
export interface UntypedMessage extends Message {
  // biome-ignore lint/suspicious/noExplicitAny: a handler registered by name alone reads its payload without a cast.
  payload: Record<string, any>
}

/** The minimum that a message type parameter must be. */
export interface MessageShape {
  /** The message type. */
  type: string
  /** The payload, whatever its type says. */
  payload: unknown
  /** As in {@link Message}. */
  metadata?: MessageMetadata
}

/** The parts of a message: a {@link Message}, or anything of its shape, such as one with an interface as payload. */
export interface MessageParts<Payload extends object = object, Type extends string = string> {
  /** The message type. */
  type: Type
  /** Any object that JSON can represent; arrays are refused. */
  payload: Payload
  /** Merged with the options' metadata, which take precedence. */
  metadata?: object
}

/** The envelope's headers. `message-type`, `message-id` and `dispatched-at` are always there. */
export type MessageHeaders = Record<string, string>
