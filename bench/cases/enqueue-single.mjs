/** Messages one by one: each awaited, and 1,000 calls in flight. */
import { compare, must, withPostgresCpu } from '../harness/compare.mjs'

/** Who is quick gets more, so that the start of the process does not count: as many as the batches it stands beside. */
const more = { symphony: 25, raw: 10 }

export default {
  name: 'enqueue-single',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const systems = context.systems.filter(({ enqueue }) => enqueue.length > 0)
    /** @type {(n: number, inFlight: number) => import('../harness/compare.mjs').Measure} */
    const measure =
      (n, inFlight) =>
      async ([process], system) => {
        const count = inFlight > 1 ? n * (more[system.name] ?? 1) : n
        const plain = system.name === 'raw' && inFlight === 1
        const ask = () => process.ask('enqueueSingle', { n: count, inFlight, plain })
        const sample = await withPostgresCpu(context, ask)
        must((await process.ask('count')).waiting, count, 'messages that wait')
        return sample
      }
    const configure = async () => ({})
    const awaited = Math.round(2_000 * context.options.scale)
    await compare(context, { name: 'enqueue-single-awaited', systems, configure, measure: measure(awaited, 1) })
    const many = Math.max(1_000, Math.round(4_000 * context.options.scale))
    await compare(context, { name: 'enqueue-single-in-flight', systems, configure, measure: measure(many, 1000) })
  },
}
