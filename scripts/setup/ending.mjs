/** What has to be done before a command ends, however it is asked to. */
import { endAll } from './process.mjs'

/** @type {Set<() => Promise<unknown> | void>} */
const cleanups = new Set()
let ending = false

/**
 * Registers work for the end of this process.
 *
 * @param {() => Promise<unknown> | void} cleanup
 */
export function atEnd(cleanup) {
  cleanups.add(cleanup)
}

/** Runs the registered work now. */
export async function cleanUp() {
  const pending = [...cleanups]
  cleanups.clear()
  await Promise.allSettled(pending.map((cleanup) => cleanup()))
}

/** Whether a signal asked this process to end. */
export const isEnding = () => ending

/** From now on a signal ends the processes under way, then does the registered work, then ends this process. */
export function endOnSignals() {
  for (const [signal, code] of /** @type {Array<[NodeJS.Signals, number]>} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    process.on(signal, async () => {
      if (ending) return
      ending = true
      await endAll(signal)
      await cleanUp()
      process.exit(code)
    })
  }
}
