/** pg-boss: https://timgit.github.io/pg-boss. Finished jobs stay as `completed`, as is its default. */
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { untilEmpty } from './adapter.mjs'
import { versionOf } from './version.mjs'

const version = versionOf('pg-boss')
const queue = 'bench'

/** @type {import('./adapter.mjs').Adapter} */
export default {
  async open({ url, schema, config }) {
    const { max, partition = false, notify = true, ...options } = config
    // Documented for producers and short-lived processes: no maintenance, no schedules beside the measurement.
    const quiet = { supervise: false, schedule: false }
    const boss = new PgBoss({ connectionString: url, schema, max: max ?? 10, ...quiet, useListenNotify: notify })
    boss.on('error', (error) => console.error(error))
    await boss.start()
    if (!(await boss.getQueue(queue))) await boss.createQueue(queue, { notify, partition })
    const control = new pg.Client({ connectionString: url })
    await control.connect()

    const work = ({ handle }) => {
      // The shortest it allows.
      const polling = { pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
      return boss.work(queue, { ...polling, ...options }, (jobs) => Promise.all(jobs.map(({ data }) => handle(data))))
    }
    const count = async () => {
      const state = (list) => `count(*) FILTER (WHERE state IN (${list}))::int`
      const columns = `${state("'created', 'retry'")} AS waiting, ${state("'active'")} AS running, ${state("'completed'")} AS done`
      return (await control.query(`SELECT ${columns} FROM ${schema}.job WHERE name = '${queue}'`)).rows[0]
    }
    return {
      version,
      sendBatch: (payloads) =>
        boss.insert(
          queue,
          payloads.map((data) => ({ data })),
        ),
      sendOne: (payload) => boss.send(queue, payload),
      async drain(all) {
        await work(all)
        await untilEmpty(all, count)
      },
      async work(all) {
        await work(all)
        return () => boss.offWork(queue)
      },
      count,
      close: () => Promise.all([boss.stop({ graceful: false }), control.end()]),
    }
  },
}
