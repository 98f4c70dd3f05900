/** BullMQ on Postgres. */
import { createPostgresBackend, withBackend } from 'bullmq'
import { session } from './bullmq.mjs'

const { Queue, Worker } = withBackend(createPostgresBackend)

/** @type {import('./adapter.mjs').Adapter} */
export default {
  async open({ url, schema, config }) {
    const { max = 10, ...worker } = config
    const options = { connection: { connectionString: url, schema, max, migrate: true } }
    return session({ Queue, Worker, options, config: worker })
  },
}
