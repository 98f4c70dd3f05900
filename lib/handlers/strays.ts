/** Handlers that keep running after their time was up: their results do not count, but they keep the process alive. */
import { shared } from '../base/process-state.js'

function strays(): { count: number } {
  return shared('strayHandlers', () => ({ count: 0 }))
}

/** How many there are in this process. */
export function strayHandlers(): number {
  return strays().count
}

/** Counts an abandoned handler until it ends. */
export function countStray(ended: Promise<unknown>): void {
  const all = strays()
  all.count += 1
  const forget = (): void => {
    all.count -= 1
  }
  ended.then(forget, forget)
}
