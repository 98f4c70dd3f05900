/**
 * What the builders of ready-made messages share.
 *
 * Their payloads are types, not interfaces: only a type matches `Record<string, unknown>` without its own index
 * signature, which would hide a misspelled field.
 */
import type { DispatchOptions } from '../dispatch/types.js'
import { withExtras } from '../message/extras.js'

/** Dispatch options that every builder takes in addition to the message's own fields. */
export interface BuildOptions {
  /** 1 to 10, 10 first; each kind of message has its own default. */
  priority?: number
  /** Not before this instant. */
  scheduledAt?: Date | string | number
  /** Instead of the key derived from the ids, if one is. */
  idempotencyKey?: string
}

/** A message that carries its dispatch options; those of `dispatch()` and of a batch take precedence. */
export function build<M extends object>(message: M, options: DispatchOptions): M {
  return withExtras(message, { options: withoutUndefined(options) })
}

/** The object without its absent fields, which JSON would drop anyway. */
export function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}
