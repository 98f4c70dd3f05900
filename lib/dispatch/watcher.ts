/** Dispatchers that are watched, to learn what happens to each call. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { peekShared, shared } from '../base/process-state.js'
import type { Dispatcher } from './types.js'

const SLOT = 'watchers'

/** Something that watches the dispatches made in a call. */
export interface Watcher {
  /** A dispatcher around this one that records what happens to what it dispatches. */
  watch(dispatcher: Dispatcher): Dispatcher
}

/** Carries the watcher of a call to the dispatches made in it. */
export function watchers(): AsyncLocalStorage<Watcher> {
  return shared(SLOT, () => new AsyncLocalStorage<Watcher>())
}

/** The dispatcher, watched if the caller has a watcher. */
export function watched(dispatcher: Dispatcher): Dispatcher {
  return peekShared<AsyncLocalStorage<Watcher>>(SLOT)?.getStore()?.watch(dispatcher) ?? dispatcher
}
