/**
 * What the harness asks of a system. Each file beside this one is an adapter, run by `child.mjs` in a process of its
 * own; only `raw` speaks the harness's protocol itself.
 *
 * @typedef {object} Adapter
 * @property {(settings: Settings) => Promise<Session>} open Connects, and creates the tables when they are missing.
 *
 * @typedef {object} Settings
 * @property {string} url Of the database.
 * @property {string} schema Where the system keeps its tables, or the prefix of its keys.
 * @property {Record<string, any>} config One of its candidates in `catalog.mjs`.
 *
 * @typedef {object} Session
 * @property {string} version Of the system's package.
 * @property {(payloads: object[]) => Promise<unknown>} sendBatch By the system's own call for many messages.
 * @property {(payload: object) => Promise<unknown>} sendOne By the system's own call for one message.
 * @property {(work: Work) => Promise<unknown>} drain Until nothing waits, or `work.limit` were handled; resolves when
 *   the outcomes are stored.
 * @property {(work: Work) => Promise<() => Promise<unknown>>} work Starts to consume; the answer stops it.
 * @property {() => Promise<Count>} count
 * @property {() => Promise<unknown>} close
 *
 * @typedef {object} Work
 * @property {(payload: any) => Promise<void>} handle The handler, an async function that only notes the message.
 * @property {() => number} handled Messages handled so far.
 * @property {number} [limit] Stop after about so many.
 * @property {boolean} [listen] Be woken rather than poll.
 * @property {number} [interval] Milliseconds between two polls, where the system allows as little.
 *
 * @typedef {object} Count
 * @property {number} waiting
 * @property {number} running
 * @property {number} done Finished and kept.
 */

/**
 * Waits until a system whose workers do not end by themselves has nothing left: asks the database once the handlers
 * have gone quiet, and then every two milliseconds.
 *
 * @param {Work} work
 * @param {() => Promise<Count>} count
 */
export async function untilEmpty({ handled, limit }, count) {
  for (let last = -1; ; ) {
    const now = handled()
    const quiet = now === last || (limit !== undefined && now >= limit)
    last = now
    if (quiet) {
      const { waiting, running } = await count()
      if (running === 0 && (waiting === 0 || (limit !== undefined && now >= limit))) return
    }
    await new Promise((resolve) => setTimeout(resolve, quiet ? 2 : 10))
  }
}
