/** What a check found, on the one scale that health and examination share. */

/** `warning`: it works, but someone should look; `error`: it does not work, or is not safe. */
export type Severity = 'ok' | 'warning' | 'error'

/** What one check found. */
export interface Finding {
  /**
   * What was checked. By `getHealth()` and `doctor()`: `database`, `migrations`, `queueDepth`, `oldestAge`, `errorRate`,
   * `deadLetters`, `staleWorkers`, `heldMessages`, `overdueSchedules`, `parkedMessages`, `unhandledTypes`,
   * `circuitBreakers` or `pauses`, and `switchedOff` while a transport is. By `doctor()` alone: `pooler`, `version`,
   * `clock`, `rights`, `rowSecurity`, `transactions`, `deadRows`, `retention` or `facts`.
   */
  check: string
  /** How it is. */
  severity: Severity
  /** What was seen. */
  message: string
  /** What to do, unless all is well. */
  remedy?: string
  /** The figure that was checked, if there is one: milliseconds, counts, fractions from 0 to 1. */
  value?: number
}
