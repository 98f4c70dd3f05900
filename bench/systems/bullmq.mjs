/** BullMQ on either of its backends: https://docs.bullmq.io. Finished jobs are removed. */
import { untilEmpty } from './adapter.mjs'
import { versionOf } from './version.mjs'

const version = versionOf('bullmq')
const defaultJobOptions = { removeOnComplete: true, removeOnFail: true }
const name = 'bench'

/**
 * @param {{ Queue: any, Worker: any, options: object, config: any, closed?: () => Promise<unknown> }} backend
 * @returns {import('./adapter.mjs').Session}
 */
export function session({ Queue, Worker, options, config, closed = async () => {} }) {
  const queue = new Queue(name, { ...options, defaultJobOptions })
  const start = async ({ handle }) => {
    const worker = new Worker(name, ({ data }) => handle(data), { ...options, ...defaultJobOptions, ...config })
    worker.on('error', (error) => console.error(error))
    await worker.waitUntilReady()
    return worker
  }
  const count = async () => {
    const { waiting, prioritized = 0, delayed = 0, active } = await queue.getJobCounts()
    const done = await queue.getCompletedCount()
    return { waiting: waiting + prioritized + delayed, running: active, done }
  }
  return {
    version,
    sendBatch: (payloads) => queue.addBulk(payloads.map((data) => ({ name, data }))),
    sendOne: (payload) => queue.add(name, payload),
    async drain(work) {
      const worker = await start(work)
      await untilEmpty(work, count)
      worker.close(true).catch(() => {})
    },
    async work(work) {
      const worker = await start(work)
      return () => worker.close()
    },
    count,
    async close() {
      await queue.close()
      await closed()
    },
  }
}
