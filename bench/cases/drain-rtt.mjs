/** 5,000 messages from a server that is 5 ms away, each way. */
import { compare } from '../harness/compare.mjs'
import { drained } from '../harness/drained.mjs'
import { startProxy, urlThrough } from '../harness/proxy.mjs'
import { fastest } from '../harness/sweep.mjs'

const delay = 5

export default {
  name: 'drain-rtt',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const n = Math.round(5_000 * Math.max(0.2, Math.min(context.options.scale, 1)))
    const { hostname: host, port } = new URL(context.url)
    const proxy = await startProxy({ host, port: Number(port || 5432), delay })
    try {
      await compare(context, {
        name: 'drain-rtt',
        // Redis stands beside the others elsewhere; here it is the way to Postgres that counts.
        systems: context.systems.filter(({ name }) => name !== 'bullmq-redis' && !name.endsWith('-kept')),
        configure: (system) => fastest(context, system, 'drain'),
        how: () => ({ url: urlThrough(context.url, proxy.port) }),
        async measure(processes, system, config) {
          const many = system.slow ? n / 5 : n
          const sample = await drained(context, processes, config, many)
          // The fewest batches are what a system could do with; how many trips it makes for each is its own affair.
          return { ...sample, more: { roundTrips: sample.ms / (2 * delay) } }
        },
      })
    } finally {
      proxy.close()
    }
  },
}
