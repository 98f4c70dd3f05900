/**
 * What a message carries beside its data: the schema it was defined with, and options it should be dispatched with.
 *
 * Kept under a hidden symbol, so that a message stays `{ type, payload, metadata? }` for everybody who prints, compares
 * or serialises it.
 */
import type { DispatchOptions } from '../dispatch/types.js'
import type { StandardSchema } from './standard-schema.js'

/** The hidden part of a message. */
export interface MessageExtras {
  /** Validates the payload at dispatch. */
  schema?: StandardSchema
  /** Used where the caller of `dispatch()` gives nothing else. */
  options?: DispatchOptions
  /** Its parts as JSON text, where they came as such: what is stored has the digits that were sent. */
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
