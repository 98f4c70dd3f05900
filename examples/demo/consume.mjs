/** Drains the queue in two ways at once: as a cron route does, again and again, and as a long-lived worker does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { consumeBatch, Worker } from '@leadmap/symphony'

const cronRoutes = 2
const limits = { batchSize: 100, maxConcurrency: 25 }

/**
 * Consumes until every job is accounted for, or time is up.
 *
 * @param {import('./ledger.mjs').Ledger} ledger
 * @param {() => Promise<boolean>} isDone Asks the database.
 * @param {AbortSignal} signal
 */
export async function consume(ledger, isDone, signal) {
  const worker = new Worker({ ...limits, pollInterval: '100ms', handleSignals: false })
  const working = worker.run()
  await Promise.all(Array.from({ length: cronRoutes }, () => drain(ledger, isDone, signal)))
  await worker.stop()
  ledger.consumed(await working)
}

async function drain(ledger, isDone, signal) {
  while (!signal.aborted) {
    const result = await consumeBatch({ ...limits, timeLimit: '5s', signal })
    ledger.consumed(result)
    if (result.claimed > 0) continue
    if (await isDone()) return
    // What is left waits for its time or for a retry.
    await sleep(100)
  }
}
