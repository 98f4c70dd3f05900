/** Which handlers of a message succeeded in an earlier run. */
import type { HandlerEntry } from './entry.js'

/** The longest name that a minifier gives: its names differ in each build. */
const LONGEST_MINIFIED = 3

/**
 * What is stored with a message, as identities of its handlers.
 *
 * Builds before 0.1.0 stored names, also those of functions and classes. Such a name counts if it matches exactly one
 * handler. If it matches several, or may be a minifier's, nobody can know whose it was: then they run again, because
 * the opposite mistake would skip one that never succeeded. What matches none here stays: another deployment may know
 * it.
 */
export function readHandled(stored: readonly string[], handlers: readonly HandlerEntry[]): string[] {
  return stored.flatMap((name) => {
    if (handlers.some(({ identity }) => identity === name)) return name
    const [only, ...others] = handlers.filter((handler) => handler.name === name)
    if (only === undefined) return name
    const isKnown = others.length === 0 && (only.named || name.length > LONGEST_MINIFIED)
    return isKnown ? only.identity : []
  })
}
