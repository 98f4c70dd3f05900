/**
 * What every case works with.
 *
 * @typedef {object} Context
 * @property {string} url Of the database.
 * @property {import('pg').Client} control A connection of the harness's own.
 * @property {() => number | null} postgresCpu Seconds of CPU that the server has used.
 * @property {string} floor The program in `raw/`.
 * @property {Redis | undefined} redis
 * @property {(system: import('../systems/catalog.mjs').Listed) => object} redisFor What a system needs to find Redis.
 * @property {import('../options.mjs').Options} options
 * @property {import('../systems/catalog.mjs').Listed[]} systems Those that can be measured here.
 * @property {import('./compare.mjs').Measurement[]} results
 * @property {Map<string, any>} swept The fastest configuration of each system, once it is known.
 * @property {(line: string) => void} say
 *
 * @typedef {object} Redis
 * @property {string} host
 * @property {number} port
 * @property {(prefix: string) => Promise<void>} clear Deletes the keys with this prefix.
 * @property {() => Promise<void>} close
 */
import pg from 'pg'
import { systems } from '../systems/catalog.mjs'
import { postgresCpu } from './postgres-cpu.mjs'
import { findRedis } from './redis.mjs'

/**
 * @param {import('../run.mjs').Given} given
 * @returns {Promise<Context & { close: () => Promise<void> }>}
 */
export async function openContext({ url, dataDir, floor, options, say = console.log }) {
  const control = new pg.Client({ connectionString: url })
  // A server that goes away fails the next statement, which says more.
  control.on('error', () => {})
  await control.connect()
  const redis = options.peers ? await findRedis() : undefined
  const available = systems.filter(({ name, own }) => own || (options.peers && (name !== 'bullmq-redis' || redis)))
  const chosen = options.systems ? available.filter(({ name }) => options.systems?.includes(name)) : available
  return {
    url,
    control,
    floor,
    postgresCpu: postgresCpu(dataDir ?? (await dataDirectory(control))),
    redis,
    redisFor: ({ name }) => (name === 'bullmq-redis' && redis ? { host: redis.host, port: redis.port } : {}),
    options,
    systems: chosen,
    results: [],
    swept: new Map(),
    say,
    async close() {
      const { rows } = await control.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench\\_%'")
      for (const { nspname } of rows) await control.query(`DROP SCHEMA ${nspname} CASCADE`)
      await redis?.clear('bench_bullmq_redis')
      await control.end()
      await redis?.close()
    },
  }
}

/** Known to administrators only, and of use only where the server is on this machine. */
async function dataDirectory(control) {
  const { rows } = await control.query('SHOW data_directory').catch(() => ({ rows: [] }))
  return rows[0]?.data_directory
}
