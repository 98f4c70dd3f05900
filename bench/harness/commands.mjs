/** What a system's process is asked to do: the same work for each, over its adapter. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Handled } from './handled.mjs'
import { measured } from './measured.mjs'
import { payload } from './payload.mjs'

/** @param {import('../systems/adapter.mjs').Adapter} adapter */
export function commands(adapter) {
  /** @type {import('../systems/adapter.mjs').Session} */
  let session

  return {
    async open(settings) {
      session = await adapter.open(settings)
      return { version: session.version }
    },

    /** `n` messages in batches, several batches under way. */
    async enqueueBatch({ n, batch, lanes, bytes }) {
      let next = 0
      const lane = async () => {
        while (next < n) {
          const from = next
          next += batch
          const size = Math.min(batch, n - from)
          await session.sendBatch(Array.from({ length: size }, (_, index) => payload(from + index, bytes)))
        }
      }
      return measured(async () => {
        await Promise.all(Array.from({ length: lanes }, lane))
        return { n }
      })
    },

    /** `n` messages one by one, so many calls under way. */
    async enqueueSingle({ n, inFlight }) {
      let next = 0
      /** @type {number[]} */
      const times = []
      const lane = async () => {
        while (next < n) {
          const began = performance.now()
          await session.sendOne(payload(next++))
          times.push(performance.now() - began)
        }
      }
      return measured(async () => {
        await Promise.all(Array.from({ length: inFlight }, lane))
        return { n, times }
      })
    },

    /** Until nothing is left, or about so many have been handled. */
    async drain({ n, limit }) {
      const seen = new Handled(n)
      return measured(async () => {
        await session.drain({ handle: seen.handle, handled: seen.count, limit })
        return { n: seen.count(), ...seen.account() }
      })
    },

    /** Batches for so long, pausing while `depth` wait. */
    async produce({ seconds, batch, depth }) {
      let sent = 0
      return measured(async () => {
        const end = Date.now() + seconds * 1000
        let look = 0
        while (Date.now() < end) {
          // Counting reads all that was deleted since the last vacuum, too, and would soon be what is measured.
          if (Date.now() >= look) {
            const { waiting } = await session.count()
            if (waiting > depth) await sleep(100)
            look = Date.now() + (waiting > depth ? 0 : 500)
            continue
          }
          await session.sendBatch(Array.from({ length: batch }, (_, index) => payload(sent + index)))
          sent += batch
        }
        return { n: sent }
      })
    },

    /** Whatever comes, for so long. */
    async consume({ seconds, interval }) {
      const seen = new Handled(0)
      return measured(async () => {
        const stop = await session.work({ handle: seen.handle, handled: seen.count, listen: true, interval })
        await sleep(seconds * 1000)
        await stop()
        return { n: seen.count(), ...seen.account() }
      })
    },

    /** From the call to the start of the handler, with nothing else going on. */
    async latency({ samples, pause, listen, interval }) {
      /** @type {(at: number) => void} */
      let arrived = () => {}
      const handle = async () => arrived(performance.now())
      const stop = await session.work({ handle, handled: () => 0, listen, interval: listen ? undefined : interval })
      await sleep(500)
      const times = []
      const result = await measured(async () => {
        for (let n = 0; n < samples; n++) {
          await sleep(pause)
          const began = performance.now()
          const handled = new Promise((resolve) => {
            arrived = resolve
          })
          const [, at] = await Promise.all([session.sendOne(payload(n)), handled])
          times.push(at - began)
        }
        return { n: times.length, times }
      })
      await stop()
      return result
    },

    count: () => session.count(),
    close: () => session.close().then(() => null),
  }
}
