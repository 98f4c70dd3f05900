/** 100,000 waiting messages and a handler that does nothing, in one process and in two. */
import { compare } from '../harness/compare.mjs'
import { drained } from '../harness/drained.mjs'
import { fastest } from '../harness/sweep.mjs'

export default {
  name: 'drain',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const n = Math.round(100_000 * context.options.scale)
    for (const processes of [1, 2]) {
      await compare(context, {
        name: processes === 1 ? 'drain' : 'drain-two-processes',
        systems: context.systems,
        configure: (system) => fastest(context, system, 'drain'),
        how: () => ({ processes }),
        measure: (running, system, config) => drained(context, running, config, system.slow ? n / 20 : n),
      })
    }
  },
}
