/** The wait before a retry. */

import { ConfigurationError } from '../base/errors.js'
import { native } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import type { RetryConfig } from './model.js'

/**
 * How long to wait before a message that has failed runs again: `delay * multiplier^retryCount`, plus or minus
 * `jitter`, at most `maxDelay`.
 *
 * @param strategy what it leaves out takes the defaults: 1 s, multiplier 2, at most 30 s, jitter 0.1.
 * @param retryCount failed runs before the one that just failed; 0 for the first retry.
 * @returns milliseconds.
 * @throws ConfigurationError if a value is invalid.
 */
export function retryDelay(strategy: RetryConfig, retryCount: number): number {
  if (!Number.isSafeInteger(retryCount) || retryCount < 0) {
    throw new ConfigurationError(`retryCount: got ${retryCount}, wants a whole number from 0`)
  }
  return callNative(() => native().retryDelay(JSON.stringify(strategy), retryCount))
}
