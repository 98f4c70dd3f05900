/** Things in no order, of which each is taken out at once. */

/** What can be in a bag. */
export interface Placed {
  /** Where it stands in its bag; negative: it is in none. */
  place: number
}

/**
 * What goes on, in no order.
 *
 * Not a `Set`: each table that V8 replaces with a new one points to its successor. Once one of them has grown old, all
 * that come after it stay alive with what was in them until the next full collection. `docs/performance-tuning.md` has
 * the figures.
 */
export class Bag<Item extends Placed> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1
  }

  /** The last one takes its place. One that is not in it stays out. */
  remove(item: Item): void {
    if (item.place < 0) return
    const last = this.#items.pop()
    if (last !== undefined && last !== item) {
      last.place = item.place
      this.#items[item.place] = last
    }
    item.place = -1
  }

  /** All of them, as they are now. */
  all(): readonly Item[] {
    return [...this.#items]
  }
}
