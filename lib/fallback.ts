/** The old way and the new one behind a flag, never both: for moving work to the queue little by little. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { BatchResult } from './dispatch-types.js'
import { SymphonyError } from './errors.js'
import { type FeatureFlags, getFeatureFlags } from './features.js'
import { getLogger } from './logger.js'
import { shared } from './state.js'

/** What is known of the dispatches made inside one call of {@link withSymphonyFallback}. */
interface Attempt {
  /** Whether a message is stored, or may be. */
  stored: boolean
}

interface Attempts {
  /** While it is 0, nobody asks, and dispatching does not look. */
  open: number
  storage: AsyncLocalStorage<Attempt>
}

function attempts(): Attempts {
  return shared('fallback', () => ({ open: 0, storage: new AsyncLocalStorage<Attempt>() }))
}

/** Notes that a dispatch stored its message, or failed with `error`, for the call that it was made in, if any. */
export function noteDispatch(error?: unknown): void {
  const { open, storage } = attempts()
  if (open === 0) return
  const attempt = storage.getStore()
  if (attempt !== undefined && (error === undefined || mayBeStored(error))) attempt.stored = true
}

/** The same for each message of a batch. */
export function noteBatch(results: BatchResult[]): void {
  if (attempts().open === 0) return
  for (const result of results) noteDispatch(result.success ? undefined : result.error)
}

/** After these nobody knows whether the message is stored; or it was handled in the call, as by the transport `sync`. */
const UNCERTAIN = new Set([
  'SYMPHONY_TIMEOUT',
  'SYMPHONY_HANDLER_FAILED',
  'SYMPHONY_HANDLER_TIMEOUT',
  'SYMPHONY_TRANSPORT_FAILED',
  'SYMPHONY_INTERNAL',
])

function mayBeStored(error: unknown): boolean {
  if (!(error instanceof SymphonyError)) return true
  if (error.code !== 'SYMPHONY_CONNECTION_FAILED') return UNCERTAIN.has(error.code)
  return (error.details as { sent?: boolean } | null)?.sent !== false
}

/**
 * Does work by the queue where a flag is on, and as before where it is off.
 *
 * With the flag on, `legacy` also runs when `viaSymphony` throws an error of this package and it is certain that nothing
 * it dispatched is stored: the database can not be reached, its tables are missing, the message is refused. Where a
 * message is stored, or may be (a connection that broke in the middle, a statement that timed out), the error is thrown
 * instead, and so are errors that are not this package's: the work is never done both ways.
 *
 * @param flag the name of a feature flag, or its value.
 * @param viaSymphony dispatches, and throws when it could not.
 * @param legacy the way it was done before.
 *
 * @example
 * await withSymphonyFallback('emailQueue', () => dispatchEmailMessage(email), () => sendNow(email))
 */
export async function withSymphonyFallback<Via, Legacy = Via>(
  flag: keyof FeatureFlags | boolean,
  viaSymphony: () => Via | Promise<Via>,
  legacy: () => Legacy | Promise<Legacy>,
): Promise<Via | Legacy> {
  if (!(typeof flag === 'boolean' ? flag : getFeatureFlags()[flag])) return legacy()
  const all = attempts()
  const attempt: Attempt = { stored: false }
  all.open += 1
  try {
    return await all.storage.run(attempt, async () => viaSymphony())
  } catch (error) {
    if (!(error instanceof SymphonyError) || attempt.stored || mayBeStored(error)) throw error
    getLogger().warn('dispatching failed and nothing is stored: the work is done as before', { flag, code: error.code })
  } finally {
    all.open -= 1
  }
  return legacy()
}
