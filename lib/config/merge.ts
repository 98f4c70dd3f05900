/** Merging configurations: objects deeply, everything else replaced. */
import type { SymphonyConfig } from './model.js'

type Tree = Record<string, unknown>

/**
 * `base` with `over` on top, neither changed. A key given as `undefined` leaves the base's value.
 */
export function merge<T extends object>(base: T, over: Partial<T>): T {
  const merged: Tree = { ...(base as Tree) }
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined) define(merged, key, mergeValue(merged[key], value))
  }
  return merged as T
}

/**
 * The same for configurations: a transport that becomes one of another type has none of the options of the one below, as
 * the core lays its layers.
 */
export function mergeConfig(base: SymphonyConfig, over: SymphonyConfig): SymphonyConfig {
  const transports = { ...base.transports }
  for (const [name, entry] of Object.entries(over.transports ?? {})) {
    const below = transports[name]
    const isOther = isTree(entry) && isTree(below) && entry.type !== undefined && entry.type !== below.type
    if (isOther) define(transports, name, { ...(below as Tree), options: {} })
  }
  return merge(base.transports === undefined ? base : { ...base, transports }, over)
}

function mergeValue(base: unknown, over: unknown): unknown {
  if (!isTree(over)) return over
  return merge(isTree(base) ? base : {}, over)
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Assignment that keeps `__proto__` an ordinary key. */
function define(target: Tree, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}
