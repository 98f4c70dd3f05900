/** BullMQ on Redis: not the same durability, but what many would pick. */
import { Queue, Worker } from 'bullmq'
import { session } from './bullmq.mjs'

/** @type {import('./adapter.mjs').Adapter} */
export default {
  async open({ schema, config }) {
    const { host, port, ...worker } = config
    const options = { connection: { host, port, maxRetriesPerRequest: null }, prefix: schema }
    return session({ Queue, Worker, options, config: worker })
  },
}
