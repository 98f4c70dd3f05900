/** Moving work to the queue little by little: the old path where the queue is off or out of reach, and never both. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageValidationError, SymphonyError } from '../base/errors.js'
import { getLogger } from '../base/logger.js'
import { watchers } from '../dispatch/watcher.js'
import { Attempts } from './attempts.js'
import { type FeatureFlags, getFeatureFlags } from './features.js'

/** A switch: a value, the name of a feature flag, or a function that is asked each time. */
export type FallbackFlag = boolean | keyof FeatureFlags | (() => boolean | Promise<boolean>)

/**
 * Runs `viaSymphony` where the flag is on, else `legacy`. Where dispatching fails and it is certain that nothing was
 * stored, `legacy` runs as well; never where anything was, or may have been.
 *
 * What is certain: a message that is invalid, a configuration that does not fit, a database that refused or could not be
 * reached. What is not: a connection that broke, or time that ran out, after the statement had been sent. Then the
 * dispatch is repeated where the message has an idempotency key, which cannot store it twice; without a key, or where
 * the repetition fails too, the promise rejects with the error, and `legacy` does not run.
 *
 * `viaSymphony` should do nothing but dispatch, and await every dispatch: one that comes after `legacy` has begun is
 * refused.
 *
 * @param flag for example `'emailQueue'`, or `isEmailQueueEnabled`.
 * @throws what `viaSymphony` or `legacy` throws.
 *
 * @example
 * await withSymphonyFallback('emailQueue', () => dispatchEmailMessage(email), () => sendNow(email))
 */
export async function withSymphonyFallback<New, Old = New>(
  flag: FallbackFlag,
  viaSymphony: () => New | Promise<New>,
  legacy: () => Old | Promise<Old>,
): Promise<New | Old> {
  if (!(await isOn(flag))) return legacy()
  const attempts = new Attempts((milliseconds) => sleep(milliseconds))
  try {
    return await watchers().run(attempts, async () => viaSymphony())
  } catch (error) {
    await attempts.close()
    if (!isCertain(attempts, error)) throw error
    const told = { flag: nameOf(flag), code: error instanceof SymphonyError ? error.code : undefined }
    getLogger().warn('dispatching failed and nothing is stored: the work is done as before', told)
  }
  return legacy()
}

/** Whether dispatching failed, and nothing can have been stored. */
function isCertain({ stored, maybeStored, refused }: Attempts, error: unknown): boolean {
  return !stored && !maybeStored && (refused || error instanceof MessageValidationError)
}

function nameOf(flag: FallbackFlag): unknown {
  return typeof flag === 'function' ? flag.name : flag
}

async function isOn(flag: FallbackFlag): Promise<boolean> {
  if (typeof flag === 'function') return flag()
  return typeof flag === 'boolean' ? flag : getFeatureFlags()[flag]
}
