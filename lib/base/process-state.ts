/**
 * State that belongs to the process, not to a module: the core, the handlers, the logger.
 *
 * A module is evaluated again on every hot reload, and ESM, CommonJS and a second copy of the package are modules of
 * their own. All of them find the same state under one global symbol.
 */

const KEY = Symbol.for('leadmap.symphony')

type Slots = Map<string, unknown>

function slots(): Slots {
  const holder = globalThis as { [KEY]?: Slots }
  holder[KEY] ??= new Map()
  return holder[KEY]
}

/** The value in the slot `name`, made by `create` if it does not exist yet. */
export function shared<T>(name: string, create: () => T): T {
  const all = slots()
  if (!all.has(name)) all.set(name, create())
  return all.get(name) as T
}

/** The value in the slot `name`, if there is one. */
export function peekShared<T>(name: string): T | undefined {
  return slots().get(name) as T | undefined
}

/** Puts a value into the slot `name`; `undefined` empties it. */
export function setShared<T>(name: string, value: T | undefined): void {
  if (value === undefined) slots().delete(name)
  else slots().set(name, value)
}
