/** A minute of draining while another session holds an old snapshot, so that nothing can be vacuumed. */
import pg from 'pg'
import { compare, must, withPostgresCpu } from '../harness/compare.mjs'
import { drift, settle } from '../harness/drained.mjs'
import { schemaOf } from '../harness/launch.mjs'
import { fillerOf } from '../harness/prefill.mjs'
import { fastest } from '../harness/sweep.mjs'

/** Messages per second that are prepared: more than any system drains. */
const enough = 90_000

export default {
  name: 'held-xmin',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const { scale, quick } = context.options
    const seconds = quick ? 6 : Math.max(1, 60 * Math.min(scale, 1))
    await compare(context, {
      name: 'held-xmin',
      systems: context.systems.filter(({ name, file }) => fillerOf({ file }) && !name.endsWith('-kept')),
      configure: (system) => fastest(context, system, 'drain'),
      rounds: 1,
      async measure([process], system, config) {
        const rate = system.own ? enough : enough / 2
        const total = Math.round(rate * seconds * Math.min(1, scale < 0.1 ? 0.1 : 1))
        await fillerOf(system)?.(context, schemaOf(system), total)
        await settle(context)
        const holder = await holdSnapshot(context.url)
        const ask = () => process.ask('consume', { config, seconds })
        const sample = await withPostgresCpu(context, ask)
        await holder.end()
        const { waiting, running } = await process.ask('count')
        must(sample.n + waiting + running, total, 'messages handled or left')
        return { ...sample, more: { secondHalf: drift([sample]), left: waiting } }
      },
    })
  },
}

/** A session whose snapshot is as old as it gets. @param {string} url */
async function holdSnapshot(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT count(*) FROM pg_class')
  return client
}
