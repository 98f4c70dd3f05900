/** Two handlers under one identity: a module that was evaluated again, or a mistake. */
import type { Log } from '../base/logger.js'
import { type AnyHandler, type HandlerEntry, refused } from './entry.js'

/**
 * Whether a handler replaces the one before it.
 *
 * The same code again is the same handler: a hot reload, or a bundler that has put its module into several bundles.
 * Different code is a hot reload after an edit if the earlier one was registered in an earlier turn. In the same turn,
 * which cannot be a hot reload, it is a second handler.
 *
 * @param isFresh whether the earlier one was registered in the same turn, without an `await` between.
 * @throws ConfigurationError for two handlers.
 */
export function mayReplace(before: HandlerEntry, entry: HandlerEntry, isFresh: boolean, log: Log): void {
  // Of two types, whenever: `A#b` without a name, and `A` with the name `b`.
  if (before.type !== entry.type) throw twoOf(before, entry)
  if (before.handler === entry.handler) return
  const isSame = codeOf(before.handler) === codeOf(entry.handler)
  if (isFresh && !isSame) throw twoOf(before, entry)
  if (!entry.named && (isFresh || (!isSame && isProduction()))) warnOfReplacement(entry, log)
}

/** In development code changes while it runs, and tests register what they need. */
function isProduction(): boolean {
  return !['development', 'test'].includes(process.env.NODE_ENV ?? '')
}

function codeOf(handler: AnyHandler): string {
  return typeof handler === 'function' ? textOf(handler) : `${handler.constructor} ${textOf(handler.handle)}`
}

/** Bound functions show no code and would all look the same: their names say what was bound. */
function textOf(code: AnyHandler & { name?: string }): string {
  const text = String(code)
  return text.endsWith('{ [native code] }') ? `${code.name} ${text}` : text
}

function twoOf(before: HandlerEntry, { type, name, named }: HandlerEntry): Error {
  if (before.type !== type) {
    return refused(`two handlers, of ${before.type} and of ${type}, would be stored as ${before.identity}: rename one`)
  }
  const remedy = named ? 'give one of them another name' : "give each a name of its own: { name: '…' }"
  const which = named ? `named ${name}` : 'without a name'
  return refused(`two handlers of ${type} ${which}: ${remedy}, so that a retry can tell them apart`)
}

/** One with a given name is meant to replace: Next.js runs a module once in every bundle that imports it. */
function warnOfReplacement({ type, name }: HandlerEntry, log: Log): void {
  log.current.warn('a handler was replaced by another one of its type: give each its own `name`', { type, name })
}
