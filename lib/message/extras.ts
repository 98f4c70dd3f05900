/**
 * What a message carries besides its data: the schema it was defined with, and default dispatch options.
 *
 * Kept under a hidden symbol, so that a message stays `{ type, payload, metadata? }` when it is printed, compared or
 * serialized.
 */
import type { StandardSchema } from './standard-schema.js'

/** The hidden part of a message. */
export interface MessageExtras {
  /** Validates the payload at dispatch. */
  schema?: StandardSchema
  /** Options of `dispatch()`, used unless its caller gives something else. */
  options?: object
  /** Its parts as JSON text, if they arrived as text: the digits that were sent are stored. */
  text?: MessageText
}

/** The parts of a message that are stored as JSON, as text. */
export interface MessageText {
  payload: string | undefined
  metadata: string | undefined
}

const EXTRAS = Symbol.for('leadmap.symphony.extras')

/** Puts extras on a message and returns it. */
export function withExtras<M extends object>(message: M, extras: MessageExtras): M {
  return Object.defineProperty(message, EXTRAS, { value: extras })
}

/** The extras of a message, if it has any. */
export function extrasOf(message: object): MessageExtras | undefined {
  return (message as { [EXTRAS]?: MessageExtras })[EXTRAS]
}
