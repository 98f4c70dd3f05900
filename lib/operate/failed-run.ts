/** The runs of a message that failed. */

/** One of them. */
export interface FailedRun {
  /** When it failed. */
  at: Date
  /** The error's class. */
  class: string
  /** The error's message. */
  message: string
  /** Where it was thrown: a few frames of its stack, and the errors that caused it. Of the last three runs. */
  stack?: string
  /** How many milliseconds it had taken. A run whose process died has none. */
  ms?: number
  /** The id of the worker or invocation whose run it was. */
  worker?: string
}

/** The same as the core has it. */
export type NativeFailedRun = Omit<FailedRun, 'at'> & { at: number }

/** Runs as the core has them, for the caller. */
export function failedRuns(runs: NativeFailedRun[]): FailedRun[] {
  return runs.map(({ at, ...error }) => ({ at: new Date(at), ...error }))
}
