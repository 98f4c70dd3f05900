/** `@leadmap/symphony`, the release build of this repository. */
import { createRequire } from 'node:module'
import pg from 'pg'
import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  migrate,
  registerHandler,
  setConfig,
  Worker,
} from '../../dist/index.mjs'

const { version } = createRequire(import.meta.url)('../../package.json')

/** @type {import('./adapter.mjs').Adapter} */
export default {
  async open({ url, schema, config }) {
    const { kept, poolSize, ...worker } = config
    setConfig({
      database: { url, schema, ...(poolSize && { poolSize }) },
      retention: { completed: kept ? '24h' : 'none' },
      // A batch of a million messages behind a slow proxy is not an error here.
      worker,
    })
    await migrate()
    const control = new pg.Client({ connectionString: url })
    await control.connect()
    const message = (payload) => ({ type: 'Bench', payload })
    const rows = (state) => `(SELECT count(*)::int FROM ${schema}.messenger_messages_${state})`
    return {
      version,
      sendBatch: (payloads) => dispatchBatch(payloads.map(message)).then(allStored),
      sendOne: (payload) => dispatch(message(payload)),
      async drain({ handle, limit }) {
        registerHandler('Bench', ({ payload }) => handle(payload))
        await consumeBatch(limit === undefined ? {} : { messageLimit: limit })
      },
      async work({ handle, listen, interval }) {
        registerHandler('Bench', ({ payload }) => handle(payload))
        const options = { handleSignals: false, listen: listen ?? true, ...(interval && { pollInterval: interval }) }
        const worker = new Worker(options)
        worker.start()
        return () => worker.stop()
      },
      async count() {
        const sql = `SELECT ${rows('pending')} AS waiting, ${rows('processing')} AS running, ${rows('finished')} AS done`
        return (await control.query(sql)).rows[0]
      },
      close: () => Promise.all([close(), control.end()]),
    }
  },
}

function allStored(results) {
  const refused = results.find(({ success }) => !success)
  if (refused) throw refused.error
}
