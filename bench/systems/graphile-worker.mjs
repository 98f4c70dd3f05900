/** graphile-worker: https://worker.graphile.org. Finished jobs are deleted, as is its way. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { untilEmpty } from './adapter.mjs'
import { versionOf } from './version.mjs'

const version = versionOf('graphile-worker')
const logger = new Logger(() => () => {})
const identifier = 'bench'

/** @type {import('./adapter.mjs').Adapter} */
export default {
  async open({ url, schema, config }) {
    const base = { connectionString: url, schema, logger }
    const pool = new pg.Pool({ connectionString: url, max: 10 })
    const utils = await makeWorkerUtils({ pgPool: pool, schema, logger })
    await utils.migrate()

    const start = ({ handle, interval }) => {
      const { maxPoolSize = 25, ...worker } = config
      const pollInterval = interval ?? 2000
      const preset = { worker: { ...base, maxPoolSize, pollInterval, ...worker } }
      return run({ preset, logger, noHandleSignals: true, taskList: { [identifier]: (payload) => handle(payload) } })
    }
    const count = async () => {
      const sql = `SELECT count(*) FILTER (WHERE locked_at IS NULL)::int AS waiting,
                          count(locked_at)::int AS running, 0 AS done FROM ${schema}._private_jobs`
      return (await pool.query(sql)).rows[0]
    }
    return {
      version,
      sendBatch: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier, payload }))),
      sendOne: (payload) => utils.addJob(identifier, payload),
      async drain(work) {
        const runner = await start(work)
        await untilEmpty(work, count)
        // Stopping is not part of the measurement, and gives back what a limit left over.
        runner.stop().catch(() => {})
      },
      async work(work) {
        const runner = await start(work)
        return () => runner.stop()
      },
      count,
      close: async () => {
        await utils.release()
        await pool.end()
      },
    }
  },
}
