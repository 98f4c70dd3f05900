/**
 * What belongs to the process and not to a module.
 *
 * A module is evaluated again on every hot reload, and ESM, CommonJS and a second copy of the package are modules of
 * their own. All of them find the same values under one global symbol.
 */

const KEY = Symbol.for('leadmap.symphony')

type Slots = Map<string, unknown>

function slots(): Slots {
  const holder = globalThis as { [KEY]?: Slots }
  holder[KEY] ??= new Map()
  return holder[KEY]
}

/** One value that all copies of the package in a process share. */
export class ProcessSlot<T> {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  /** The value, if there is one. */
  peek(): T | undefined {
    return slots().get(this.#name) as T | undefined
  }

  /** The value, made by `create` if it does not exist yet. */
  get(create: () => T): T {
    const known = this.peek()
    if (known !== undefined) return known
    const made = create()
    slots().set(this.#name, made)
    return made
  }
}
