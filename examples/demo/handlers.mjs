/** The demo's handlers: they stand for the calls to a mail server, a campaign engine and an SMS gateway. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HandlerError, registerHandler } from '@leadmap/symphony'

/** What a call to the other side takes, in milliseconds. */
const latency = { EmailMessage: 4, CampaignMessage: 2, SmsMessage: 3 }

/**
 * Registers one handler per type.
 *
 * @param {import('./messages.mjs').Job[]} jobs
 * @param {import('./ledger.mjs').Ledger} ledger
 */
export function registerHandlers(jobs, ledger) {
  const failures = new Map(jobs.flatMap((job) => (job.failure ? [[job.key, job.failure]] : [])))
  for (const [type, milliseconds] of Object.entries(latency)) {
    registerHandler(type, async (_message, context) => {
      const key = String(context.idempotencyKey)
      const run = ledger.run(key)
      await sleep(milliseconds)
      const error = plannedError(failures.get(key), run)
      if (error) {
        ledger.failedRuns++
        throw error
      }
      ledger.success(key)
    })
  }
}

/** @param {import('./messages.mjs').Failure | undefined} failure @param {number} run */
function plannedError(failure, run) {
  if (failure?.kind === 'rejected') return new HandlerError(failure.error, false)
  if (failure?.kind === 'forever' || (failure?.kind === 'once' && run === 1)) return new Error(failure.error)
  return undefined
}
