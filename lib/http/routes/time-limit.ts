/** How long a route may drain before the platform kills its function. */
import { must } from '../../base/options.js'

/** The default: done before the next call of a cron job that runs every minute. */
const DEFAULT_MS = 50_000

/** The time reserved for the start, the last writes and the answer: a tenth of the limit, within these bounds. */
const LEAST_MARGIN_MS = 1_000
const MOST_MARGIN_MS = 10_000

/**
 * The milliseconds a drain may take.
 *
 * @param maxDuration seconds after which the platform kills the function.
 * @param timeLimit what the application asks for, in milliseconds. The shorter limit counts.
 */
export function timeLimitFor(maxDuration: number | undefined, timeLimit: number | undefined): number {
  const room = maxDuration === undefined ? Number.POSITIVE_INFINITY : roomIn(maxDuration)
  return Math.min(timeLimit ?? (maxDuration === undefined ? DEFAULT_MS : room), room)
}

function roomIn(maxDuration: number): number {
  const milliseconds = maxDuration * 1_000
  const margin = Math.min(MOST_MARGIN_MS, Math.max(LEAST_MARGIN_MS, milliseconds / 10))
  const fits = Number.isFinite(milliseconds) && milliseconds > margin
  return must(fits, 'maxDuration', maxDuration, 'seconds, more than 1', milliseconds - margin)
}
