/**
 * What the builders of the ready-made messages have in common.
 *
 * Their payloads are types, not interfaces: only a type fits `Record<string, unknown>` without an index signature of its
 * own, which would hide a misspelt field.
 */
import type { DispatchOptions } from '../dispatch/types.js'
import { withExtras } from '../message/extras.js'

/** Dispatch options that every builder takes beside the message's own fields. */
export interface BuildOptions {
  /** 1 to 10, 10 first; each kind of message has its default. */
  priority?: number
  /** Not before this instant. */
  scheduledAt?: Date | string | number
  /** Instead of the key derived from the ids, if one is. */
  idempotencyKey?: string
}

/** A message that carries the options it should be dispatched with; those of `dispatch()` and of a batch win. */
export function build<M extends object>(message: M, options: DispatchOptions): M {
  return withExtras(message, { options: withoutUndefined(options) })
}

/** The object without its absent fields, which JSON would drop anyway. */
export function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}
