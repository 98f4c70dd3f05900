/** The messages that travel, as an application writes them. */

/** Facts about a message that are not its work: who caused it, a tenant, a trace. */
export type MessageMetadata = Record<string, unknown>

/**
 * A message: its type chooses the handlers, its payload is the work.
 *
 * Extend it to type a handler: `interface EmailMessage extends Message { type: 'EmailMessage'; payload: { … } }`.
 */
export interface Message {
  /** Chooses transport, retry strategy and handlers. */
  type: string
  /** A JSON object. A `Date` in it becomes its ISO string, as `JSON.stringify` does. */
  payload: Record<string, unknown>
  /** Kept beside the payload and handed to the handler. */
  metadata?: MessageMetadata
}

/** A message of which only the type's name is known: its payload's values are not checked. */
export interface UntypedMessage extends Message {
  // biome-ignore lint/suspicious/noExplicitAny: a handler registered by name alone reads its payload without a cast.
  payload: Record<string, any>
}

/** The least that a message type parameter has to be. */
export interface MessageShape {
  /** The message type. */
  type: string
  /** The payload, whatever its type says. */
  payload: unknown
  /** As in {@link Message}. */
  metadata?: MessageMetadata
}

/** What {@link dispatch} takes: a {@link Message}, or anything of its shape, such as one with an interface as payload. */
export interface MessageInput<Payload extends object = object> {
  /** The message type. */
  type: string
  /** Any object that JSON can carry; arrays are refused. */
  payload: Payload
  /** Merged with the options' metadata, which win. */
  metadata?: object
}

/** The envelope's headers. `message-type`, `message-id` and `dispatched-at` are always there. */
export type MessageHeaders = Record<string, string>
