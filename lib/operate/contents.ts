/** What a message holds: an outline in lists, all of it where it is asked for. */
import { type FailedRun, failedRuns, type NativeFailedRun } from './failed-run.js'

/** The outline of what a message holds. */
export interface MessageOutline {
  /** The first 200 characters of the payload, as JSON. */
  payloadPreview: string
  /** The size of the whole payload, in bytes of JSON. */
  payloadBytes: number
}

/** What a message holds. */
export interface MessageContents {
  /** Its complete payload. A number of JavaScript may not have all digits of a large one: `payloadText` has. */
  payload: Record<string, unknown>
  /** The payload as JSON, with every digit as it was dispatched. */
  payloadText: string
  /** The errors of its runs, oldest first, 20 at most. */
  errorHistory: FailedRun[]
}

/** What a message holds, as the core tells it. */
export type NativeContents = MessageOutline | { payloadText: string; errorHistory: NativeFailedRun[] }

/** What the core tells, for the caller. */
export function readContents(native: NativeContents): MessageOutline | MessageContents {
  if (!('payloadText' in native)) return native
  const { payloadText, errorHistory } = native
  return { payload: JSON.parse(payloadText), payloadText, errorHistory: failedRuns(errorHistory) }
}
