import { setTimeout as sleep } from 'node:timers/promises'
import { dispatch, TransportError } from '@leadmap/symphony'
import { expect } from 'vitest'

/** What was promised: the numbers of the messages whose dispatch resolved. */
export interface Ledger {
  stored: number[]
  /** How many dispatches were refused; those may be stored without anybody knowing. */
  refused: number
}

/** Dispatches one message after the other, whatever happens, numbered from `first`; `work` is the rest of its payload. */
export function dispatchOn(first: number, work: () => object = () => ({})): { stop(): Promise<Ledger> } {
  const ledger: Ledger = { stored: [], refused: 0 }
  let stopped = false
  const going = (async () => {
    for (let n = first; !stopped; n += 1) {
      try {
        await dispatch({ type: 'Work', payload: { n, ...work() } })
        ledger.stored.push(n)
      } catch (error) {
        expect(error).toBeInstanceOf(TransportError)
        ledger.refused += 1
      }
      await sleep(5)
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await going
      return ledger
    },
  }
}
