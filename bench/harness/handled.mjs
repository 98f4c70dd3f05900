/** Notes which messages were handled, how often, and when. */
export class Handled {
  #count = 0
  #repeated = 0
  #seen
  #since = performance.now()
  /** @type {Array<[number, number]>} */
  #progress = []

  /** @param {number} n Messages are numbered below this; 0: only count them. */
  constructor(n) {
    this.#seen = new Uint8Array(n)
  }

  /** The handler of every system. @param {{ n: number }} message */
  handle = async ({ n }) => {
    this.#count++
    if (this.#seen.length > 0 && ++this.#seen[n] > 1) this.#repeated++
    if (this.#count % 500 === 0) this.#note()
  }

  count = () => this.#count

  /** The curve of the work: `[milliseconds since the epoch, messages so far]`, and how many were handled twice. */
  account() {
    return { handled: this.#count, repeated: this.#repeated, progress: this.#progress }
  }

  #note() {
    const now = performance.now()
    if (now - this.#since < 50) return
    this.#since = now
    this.#progress.push([performance.timeOrigin + now, this.#count])
  }
}
