/** Two handlers under one identity: a module that was evaluated again, or a mistake. */
import { getLogger } from '../logger.js'
import { type AnyHandler, type HandlerEntry, refused } from './entry.js'

/**
 * Whether a handler replaces the one before it.
 *
 * The same code again is the same handler: a hot reload, or a bundler that has put its module into several bundles. Other
 * code is a hot reload after an edit, where the one before was registered in an earlier turn. In one turn, which no hot
 * reload is, it is a second handler.
 *
 * @param isFresh whether the one before was registered in the same turn: no `await` between.
 * @throws ConfigurationError where there are two handlers.
 */
export function mayReplace(before: HandlerEntry, entry: HandlerEntry, isFresh: boolean): void {
  if (before.handler === entry.handler && before.type === entry.type) return
  const isSame = before.type === entry.type && codeOf(before.handler) === codeOf(entry.handler)
  if (isFresh && !isSame) throw twoOf(before, entry)
  if (!entry.named && (isFresh || (!isSame && isProduction()))) warnOfReplacement(entry)
}

/** In development code changes while it runs, and tests register what they need. */
function isProduction(): boolean {
  return !['development', 'test'].includes(process.env.NODE_ENV ?? '')
}

function codeOf(handler: AnyHandler): string {
  return typeof handler === 'function' ? String(handler) : `${handler.constructor} ${handler.handle}`
}

function twoOf(before: HandlerEntry, { type, name, named }: HandlerEntry): Error {
  if (before.type !== type) {
    return refused(`two handlers, of ${before.type} and of ${type}, would be stored as ${before.identity}: rename one`)
  }
  const remedy = named ? 'give one of them another name' : "give each a name of its own: { name: '…' }"
  const which = named ? `named ${name}` : 'without a name'
  return refused(`two handlers of ${type} ${which}: ${remedy}, so that a retry can tell them apart`)
}

/** One whose name was given is meant to replace: Next.js runs a module once in every bundle that imports it. */
function warnOfReplacement({ type, name }: HandlerEntry): void {
  getLogger().warn('a handler was replaced by another one of its type: give each its own `name`', { type, name })
}
