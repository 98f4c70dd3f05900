/** Moving work to the queue step by step: the old path if the queue is off or out of reach, and never both. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageValidationError, SymphonyError } from '../base/errors.js'
import type { Log } from '../base/logger.js'
import { didYouMean } from '../base/suggestions.js'
import type { Watchers } from '../dispatch/watcher.js'
import { Attempts } from './attempts.js'
import type { FeatureFunctions } from './features.js'

/** A switch: a value, the name of a feature flag, or a function that is asked each time. */
export type FallbackFlag = boolean | string | (() => boolean | Promise<boolean>)

/** Moving work to an instance. */
export interface FallbackFunctions {
  /**
   * Runs `viaSymphony` if the flag is on, else `legacy`. If dispatching fails and it is certain that nothing was stored,
   * `legacy` runs as well; never if anything was or may have been stored.
   *
   * It is certain for an invalid message or configuration, and for a database that refused or could not be reached. It is
   * not certain if the connection broke, or the time ran out, after the statement had been sent. Then the dispatch is
   * repeated if the message has an idempotency key, which cannot store it twice. Without a key, or if the repetition
   * fails too, the promise rejects with the error, and `legacy` does not run.
   *
   * `viaSymphony` should only dispatch, and await every dispatch: one that comes after `legacy` has started is refused.
   *
   * @param flag for example `'emailQueue'`; a name that nothing sets is off.
   * @throws what `viaSymphony` or `legacy` throws.
   *
   * @example
   * await withSymphonyFallback('emailQueue', () => dispatchEmailMessage(email), () => sendNow(email))
   */
  withSymphonyFallback<New, Old = New>(
    flag: FallbackFlag,
    viaSymphony: () => New | Promise<New>,
    legacy: () => Old | Promise<Old>,
  ): Promise<New | Old>
}

/** What moving work needs. */
export interface FallbackParts {
  readonly features: Pick<FeatureFunctions, 'getFeatureFlags' | 'isFeatureEnabled'>
  readonly watchers: Watchers
  readonly log: Log
}

/** The functions over the parts. */
export function fallbackFunctions({ features, watchers, log }: FallbackParts): FallbackFunctions {
  const misspelt = new Set<string>()
  const isOn = (flag: string): boolean => {
    const on = features.isFeatureEnabled(flag)
    if (on || misspelt.has(flag)) return on
    const meant = nameMeant(flag, Object.keys(features.getFeatureFlags()))
    if (meant === undefined) return false
    misspelt.add(flag)
    log.current.warn(`no flag is called ${flag}, so the work is done as before${meant}`)
    return false
  }
  return {
    async withSymphonyFallback<New, Old = New>(
      flag: FallbackFlag,
      viaSymphony: () => New | Promise<New>,
      legacy: () => Old | Promise<Old>,
    ): Promise<New | Old> {
      if (!(await asked(flag, isOn))) return legacy()
      const attempts = new Attempts((milliseconds) => sleep(milliseconds))
      try {
        return await watchers.run(attempts, async () => viaSymphony())
      } catch (error) {
        await attempts.close()
        if (!isCertain(attempts, error) || isBuilding(error)) throw error
        const told = { flag: nameOf(flag), code: error instanceof SymphonyError ? error.code : undefined }
        log.current.warn('dispatching failed and nothing is stored: the work is done as before', told)
      }
      return legacy()
    },
  }
}

/** Whether dispatching failed, and nothing can have been stored. */
function isCertain({ stored, maybeStored, refused }: Attempts, error: unknown): boolean {
  return !stored && !maybeStored && (refused || error instanceof MessageValidationError)
}

/** A build that may not dispatch must not do the work either. */
function isBuilding(error: unknown): boolean {
  return error instanceof SymphonyError && error.code === 'SYMPHONY_BUILD_PHASE'
}

function nameOf(flag: FallbackFlag): unknown {
  return typeof flag === 'function' ? flag.name : flag
}

/** A question that names the flag that was probably meant; `undefined` if it exists, or resembles none. */
function nameMeant(flag: string, flags: string[]): string | undefined {
  return flags.includes(flag) ? undefined : didYouMean(flags, flag) || undefined
}

async function asked(flag: FallbackFlag, isOn: (name: string) => boolean): Promise<boolean> {
  if (typeof flag === 'function') return flag()
  return typeof flag === 'boolean' ? flag : isOn(flag)
}
