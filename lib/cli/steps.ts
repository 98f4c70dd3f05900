/** Many things, some at a time: Ctrl-C stops after those that are under way. */

/** How many are handed to the package at once. */
const STEP = 100

/**
 * Does the work for all of them.
 *
 * @returns how many were handed over before a signal came.
 */
export async function inSteps<T>(all: readonly T[], work: (some: T[]) => Promise<void>): Promise<number> {
  let isStopped = false
  const stop = (): void => {
    isStopped = true
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    for (let start = 0; start < all.length; start += STEP) {
      if (isStopped) return start
      await work(all.slice(start, start + STEP))
    }
    return all.length
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
