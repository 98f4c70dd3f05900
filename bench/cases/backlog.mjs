/** Claim and settle 10,000 while a lot else is in the tables: it must not matter. */
import { compare, Void, withPostgresCpu } from '../harness/compare.mjs'
import { settle } from '../harness/drained.mjs'
import { schemaOf } from '../harness/launch.mjs'
import { fillerOf, fillSymphony } from '../harness/prefill.mjs'
import { fastest } from '../harness/sweep.mjs'

export default {
  name: 'backlog',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const { scale } = context.options
    const few = Math.max(100, Math.round(10_000 * scale))
    const many = Math.round(1_000_000 * scale)
    const unhandled = Math.round(100_000 * scale)
    const common = context.systems.filter((system) => fillerOf(system) && !system.name.endsWith('-kept'))
    const own = common.filter(({ own }) => own)
    // What else is in the tables. The floor claims any type, so it has no case of a type that nobody handles.
    const cases = [
      { name: 'backlog-10k', systems: common, total: few },
      { name: 'backlog-1m-waiting', systems: common, total: many },
      { name: 'backlog-1m-future', systems: own, total: few, other: { n: many, priority: 10, due: '1 day' } },
      {
        name: 'backlog-1m-completed',
        systems: own,
        total: few,
        other: { n: many, state: /** @type {const} */ ('finished') },
      },
      {
        name: 'backlog-unhandled-head',
        systems: own.filter(({ file }) => file === 'symphony'),
        total: few,
        other: { n: unhandled, type: 'Unknown', due: '-2 hours' },
      },
    ]
    for (const { name, systems, total, other } of cases) {
      await compare(context, {
        name,
        systems,
        configure: (system) => fastest(context, system, 'drain'),
        async measure([process], system, config) {
          const schema = schemaOf(system)
          // Ids of their own, so that the two fillings do not meet.
          if (other) await fillSymphony(context, schema, { ...other, from: 2_000_000 })
          await fillerOf(system)?.(context, schema, total)
          await settle(context)
          const ask = () => process.ask('drain', { n: total, limit: few, config })
          const sample = await withPostgresCpu(context, ask)
          // A peer has no limit; it overshoots by what it had fetched, and is timed over what it did.
          if (sample.n < few || sample.repeated > 0) throw new Void(`messages handled: ${sample.n}, not ${few}`)
          return sample
        },
      })
    }
  },
}
