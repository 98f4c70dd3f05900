/** Asks Postgres itself what became of every message: plain SQL past the package. */
import pg from 'pg'

/**
 * @typedef {object} Audit
 * @property {number} completed
 * @property {number} deadLettered
 * @property {number} waiting
 * @property {number} retried Failed runs after which a message came again.
 * @property {number} duplicates
 * @property {string[]} lost Keys that stand nowhere.
 * @property {string[]} doubled Keys that stand twice.
 */

export class Auditor {
  #pool
  #schema

  /** @param {string} url @param {string} schema */
  constructor(url, schema) {
    this.#pool = new pg.Pool({ connectionString: url, max: 1 })
    this.#schema = pg.escapeIdentifier(schema)
  }

  /** How many messages neither succeeded nor failed for good. */
  async unfinished() {
    const [row] = await this.#query(`SELECT count(*)::int AS count FROM ${this.#schema}.messenger_messages
      WHERE status IN ('pending', 'processing')`)
    return row.count
  }

  /** @param {import('./messages.mjs').Job[]} jobs @returns {Promise<Audit>} */
  async audit(jobs) {
    const messages = await this.#query(`SELECT idempotency_key AS key, status, retry_count AS retries
      FROM ${this.#schema}.messenger_messages`)
    const dead = await this.#query(`SELECT idempotency_key AS key, 'dead' AS status, retry_count AS retries
      FROM ${this.#schema}.messenger_failed_messages`)
    const [{ duplicates }] = await this.#query(`SELECT coalesce(sum(duplicate_attempts), 0)::int AS duplicates
      FROM ${this.#schema}.messenger_deduplication`)
    const all = [...messages, ...dead]
    const times = new Map()
    for (const { key } of all) times.set(key, (times.get(key) ?? 0) + 1)
    return {
      completed: messages.filter((row) => row.status === 'completed').length,
      deadLettered: dead.length,
      waiting: messages.filter((row) => row.status !== 'completed').length,
      retried: all.reduce((sum, row) => sum + row.retries, 0),
      duplicates,
      lost: jobs.map((job) => job.key).filter((key) => !times.has(key)),
      doubled: [...times].filter(([, count]) => count > 1).map(([key]) => key),
    }
  }

  /** Removes the demo's schema. */
  async dropSchema() {
    await this.#query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
  }

  async close() {
    await this.#pool.end()
  }

  async #query(sql) {
    return (await this.#pool.query(sql)).rows
  }
}
