/**
 * Group commit: `dispatch()` calls made at the same moment share one call of the core, and so one INSERT.
 *
 * It needs no timer: a flush takes all that waits as soon as a lane is free. Alone, a message leaves in the same
 * turn of the event loop; under load, those that arrive while the lanes are busy go together.
 */
import { readSent, type Sent } from './results.js'

/**
 * Concurrent calls of the core. Two, so that one batch is on its way while the other is written. A single lane would
 * leave the database idle between round trips; more lanes make smaller batches.
 */
const LANES = 2

/**
 * The most messages in one call: longer calls delay the first message without being faster. When this many wait, the
 * free lanes share them. A thousand callers in a loop otherwise end up in one lane, with the database idle while
 * JavaScript works and the other way round: 44k per second instead of 52k to 72k, on two cores. Fewer stay together,
 * and in order.
 */
const LARGEST = 1_000

/** Characters in one call, unless one message alone has more: what the core and the database hold at once. */
const LONGEST = 8 * 1024 * 1024

interface Waiting {
  request: string
  resolve: (sent: Sent) => void
  reject: (error: unknown) => void
}

/** The queue before the core. */
export class GroupCommit {
  readonly #send: (requests: string) => Promise<string>
  #waiting: Waiting[] = []
  #busy = 0
  #inline = 0
  #flushing = false

  constructor(send: (requests: string) => Promise<string>) {
    this.#send = send
  }

  /** Dispatches one request together with others; rejects only if the whole call failed. */
  add(request: string): Promise<Sent> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      this.#schedule()
    })
  }

  /**
   * A handler runs inside a dispatch, which holds its lane for that long. Another lane is opened: the handler may
   * dispatch too, and would otherwise wait for itself.
   */
  inlineStarted(): void {
    this.#inline += 1
    this.#schedule()
  }

  /** The handler has ended, and the extra lane closes. */
  inlineEnded(): void {
    this.#inline -= 1
  }

  #schedule(): void {
    if (this.#flushing || this.#waiting.length === 0 || this.#busy >= LANES + this.#inline) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      void this.#flush(this.#take())
      this.#schedule()
    })
  }

  #take(): Waiting[] {
    const count = this.#waiting.length
    const lanes = count >= LARGEST ? LANES + this.#inline - this.#busy : 1
    const share = this.#fitting(Math.min(Math.ceil(count / lanes), LARGEST))
    if (share < count) return this.#waiting.splice(0, share)
    const all = this.#waiting
    this.#waiting = []
    return all
  }

  /** How many of the waiting requests, from the first, fit into one call. */
  #fitting(most: number): number {
    let characters = 0
    for (let count = 0; count < most; count += 1) {
      characters += this.#waiting[count]?.request.length ?? 0
      if (characters > LONGEST) return Math.max(count, 1)
    }
    return most
  }

  async #flush(batch: Waiting[]): Promise<void> {
    this.#busy += 1
    try {
      const answer = await this.#send(`[${batch.map(({ request }) => request).join()}]`)
      const results = readSent(answer)
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Sent)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#busy -= 1
      this.#schedule()
    }
  }
}
