/** The demo's own books, kept beside the queue's: what went in, what each message's runs came to. */

export class Ledger {
  /** Messages a dispatch stored. */
  stored = 0
  /** Dispatches refused because their key was taken. */
  duplicates = 0
  /** Dispatches that failed, with the reason. @type {Error[]} */
  refused = []
  /** Runs that failed. */
  failedRuns = 0
  /** Runs that succeeded, for each key. @type {Map<string, number>} */
  succeeded = new Map()
  /** Runs so far, for each key. @type {Map<string, number>} */
  runs = new Map()
  retried = 0
  deadLettered = 0
  began = performance.now()
  ended = 0

  /** @param {{ success: boolean, status?: string, error?: Error }} result */
  dispatched(result) {
    if (!result.success) this.refused.push(result.error ?? new Error('refused without a reason'))
    else if (result.status === 'duplicate') this.duplicates++
    else this.stored++
  }

  /** Counts a run and tells which one it is, beginning with 1. @param {string} key */
  run(key) {
    const count = (this.runs.get(key) ?? 0) + 1
    this.runs.set(key, count)
    return count
  }

  /** @param {string} key */
  success(key) {
    this.succeeded.set(key, (this.succeeded.get(key) ?? 0) + 1)
  }

  /** What one consumer reports at the end of its drain. @param {{ retried: number, deadLettered: number }} result */
  consumed(result) {
    this.retried += result.retried
    this.deadLettered += result.deadLettered
  }

  /** Messages that ran more than once although they had succeeded. */
  get twice() {
    return [...this.succeeded.values()].filter((count) => count > 1).length
  }

  get seconds() {
    return ((this.ended || performance.now()) - this.began) / 1000
  }
}
