/** What keeps the process of a worker or scheduler that was told to end, over all instances in it. */
import { ProcessSlot } from './process-state.js'

interface ProcessLife {
  /** The listeners of workers and schedulers, to tell them from the application's. */
  readonly signalListeners: Set<unknown>
  /** Consumers whose outcomes are not all written yet. */
  consumers: number
  /** Handlers that keep running after their time was up: their results do not count, but they keep the process alive. */
  strays: number
}

const slot = new ProcessSlot<ProcessLife>('life')

/** The facts about this process. */
export function processLife(): ProcessLife {
  return slot.get(() => ({ signalListeners: new Set(), consumers: 0, strays: 0 }))
}

/** Counts an abandoned handler until it ends. */
export function countStray(ended: Promise<unknown>): void {
  const life = processLife()
  life.strays += 1
  const forget = (): void => {
    life.strays -= 1
  }
  ended.then(forget, forget)
}
