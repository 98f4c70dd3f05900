/** From `dispatch()` to the start of the handler, with nothing else going on: woken, and by polling. */
import { compare, must } from '../harness/compare.mjs'

/** Milliseconds between two polls; pg-boss allows no less than 500. */
const interval = 100

export default {
  name: 'latency',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const systems = context.systems.filter(({ enqueue }) => enqueue.length > 0)
    /** @type {(samples: number, listen: boolean) => import('../harness/compare.mjs').Measure} */
    const measure =
      (samples, listen) =>
      async ([process]) => {
        // A pause that does not divide the interval, so that a poll may come at any moment.
        const sample = await process.ask('latency', { samples, listen, interval, pause: listen ? 3 : 37 })
        must(sample.times.length, samples, 'messages handled')
        const { waiting, running } = await left(process)
        must(waiting + running, 0, 'messages left')
        return { ...sample, ms: undefined }
      }
    const configure = async (system) => system.latency
    const woken = Math.round(1_000 * context.options.scale)
    await compare(context, { name: 'latency-listen', systems, configure, measure: measure(woken, true) })
    const polls = Math.max(5, Math.round(100 * context.options.scale))
    // The others always listen.
    const polling = systems.filter(({ own, name }) => own || name === 'pg-boss')
    await compare(context, {
      name: 'latency-polling',
      systems: polling,
      configure: async ({ name, latency }) => ({ ...latency, ...(name === 'pg-boss' && { notify: false }) }),
      measure: measure(polls, false),
      rounds: 1,
    })
  },
}

/** The last outcome may still be on its way. */
async function left(process) {
  for (let look = 0; look < 50; look++) {
    const count = await process.ask('count')
    if (count.waiting + count.running === 0) return count
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.ask('count')
}
