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
  /** When each key's runs succeeded. @type {Map<string, number[]>} */
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
    this.succeeded.set(key, [...(this.succeeded.get(key) ?? []), performance.now()])
  }

  /** What one consumer reports at the end of its drain. @param {{ retried: number, deadLettered: number }} result */
  consumed(result) {
    this.retried += result.retried
    this.deadLettered += result.deadLettered
  }

  /** Messages that ran more than once although they had succeeded. */
  get twice() {
    return [...this.succeeded.values()].filter((times) => times.length > 1).length
  }

  get seconds() {
    return ((this.ended || performance.now()) - this.began) / 1000
  }

  /**
   * Messages per second, from the first dispatch to the last one handled.
   *
   * @param {string[]} keys Messages that neither wait for their time nor for a retry.
   */
  rate(keys) {
    const last = Math.max(...keys.map((key) => this.succeeded.get(key)?.[0] ?? this.ended))
    return Math.round(keys.length / ((last - this.began) / 1000))
  }
}
