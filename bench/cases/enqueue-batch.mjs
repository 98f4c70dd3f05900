/** 100,000 messages in batches. */
import { compare, must, withPostgresCpu } from '../harness/compare.mjs'
import { fastest } from '../harness/sweep.mjs'

export default {
  name: 'enqueue-batch',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const n = Math.round(100_000 * context.options.scale)
    await compare(context, {
      name: 'enqueue-batch',
      systems: context.systems.filter(({ enqueue }) => enqueue.length > 0),
      configure: (system) => fastest(context, system, 'enqueue'),
      settings: () => ({}),
      async measure([process], _, config) {
        const sample = await withPostgresCpu(context, () => process.ask('enqueueBatch', { n, ...config }))
        must((await process.ask('count')).waiting, n, 'messages that wait')
        return sample
      },
    })
  },
}
