/** Two producers and two consumers at once: the rate at which messages come through, and whether it stays. */
import { compare, must, withPostgresCpu } from '../harness/compare.mjs'
import { drift, settle, together } from '../harness/drained.mjs'
import { fastest } from '../harness/sweep.mjs'

/** Producers pause while so many wait: a queue that only grows would measure the producers. */
const depth = 10_000

export default {
  name: 'mixed',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const seconds = 15 * Math.max(0.05, Math.min(context.options.scale * (context.options.quick ? 2 : 1), 1))
    await compare(context, {
      name: 'mixed',
      systems: context.systems.filter(({ name }) => !name.endsWith('-kept')),
      configure: (system) => fastest(context, system, 'drain'),
      // Two make, two take, and one watches: a process obeys one command after the other.
      how: () => ({ processes: 5 }),
      rounds: 1,
      async measure(processes, _, config) {
        const [first, , , , watcher] = processes
        await settle(context)
        const depths = watchDepth(watcher)
        const sample = await withPostgresCpu(context, async () => {
          const producing = processes.slice(0, 2).map((one) => one.ask('produce', { seconds, batch: 500, depth }))
          const consuming = processes.slice(2, 4).map((one) => one.ask('consume', { config, seconds: seconds + 1 }))
          const results = await Promise.all([...producing, ...consuming])
          const [made, taken] = [results.slice(0, 2), results.slice(2)]
          // What waits when the producers stop is drained in the second that is left, or it is counted below.
          return { ...together(taken), ms: seconds * 1000, made: together(made).n, taken, cpu: together(results).cpu }
        })
        const deepest = Math.max(0, ...(await depths.stop()))
        const { waiting, running } = await first.ask('count')
        must(sample.n + waiting + running, sample.made, 'messages handled or left')
        return { ...sample, more: { deepest, left: waiting, secondHalf: drift(sample.taken) } }
      },
    })
  },
}

/** Asks twice per second how many wait. */
function watchDepth(process) {
  /** @type {Promise<number>[]} */
  const depths = []
  const timer = setInterval(() => depths.push(process.ask('count').then(({ waiting }) => waiting)), 500)
  return {
    stop() {
      clearInterval(timer)
      return Promise.all(depths)
    },
  }
}
