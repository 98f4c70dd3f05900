/** Dispatchers that are watched, to learn what happens to each call. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Dispatcher } from './types.js'

/** Something that watches the dispatches made in a call. */
export interface Watcher {
  /** A dispatcher around this one that records what happens to what it dispatches. */
  watch(dispatcher: Dispatcher): Dispatcher
}

/** Carries the watcher of a call to the dispatches made in it. Costs nothing until somebody watches. */
export class Watchers {
  #storage: AsyncLocalStorage<Watcher> | undefined

  /** Runs `work`, with all its dispatches watched. */
  run<T>(watcher: Watcher, work: () => T): T {
    this.#storage ??= new AsyncLocalStorage()
    return this.#storage.run(watcher, work)
  }

  /** The dispatcher, watched if the caller has a watcher. */
  watched(dispatcher: Dispatcher): Dispatcher {
    return this.#storage?.getStore()?.watch(dispatcher) ?? dispatcher
  }
}
