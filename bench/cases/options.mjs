/** What each tuning option of Symphony is worth: the same drain with one of them changed. */
import { compare } from '../harness/compare.mjs'
import { drained, settle } from '../harness/drained.mjs'
import { schemaOf } from '../harness/launch.mjs'

const usual = { batchSize: 1000, maxConcurrency: 1000 }

/** @type {Array<{ what: string, config: Record<string, any>, autovacuum?: string }>} */
const variants = [
  { what: 'usual', config: usual },
  { what: 'batchSize-10', config: { ...usual, batchSize: 10 } },
  { what: 'batchSize-100', config: { ...usual, batchSize: 100 } },
  { what: 'batchSize-2000', config: { ...usual, batchSize: 2000 } },
  { what: 'maxConcurrency-5', config: { ...usual, maxConcurrency: 5 } },
  { what: 'maxConcurrency-100', config: { ...usual, maxConcurrency: 100 } },
  { what: 'defaults', config: {} },
  { what: 'poolSize-1', config: { ...usual, poolSize: 1 } },
  { what: 'poolSize-2', config: { ...usual, poolSize: 2 } },
  { what: 'kept-24h', config: { ...usual, kept: true } },
  { what: 'autovacuum-off', config: usual, autovacuum: 'SET (autovacuum_enabled = false)' },
]

export default {
  name: 'options',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const symphony = context.systems.find(({ name }) => name === 'symphony')
    if (!symphony || context.options.quick) return
    const n = Math.max(200, Math.round(50_000 * context.options.scale))
    // In a smoke test two say as much as all.
    const chosen = context.options.scale < 0.01 ? variants.slice(0, 2) : variants
    const named = new Map(chosen.map((variant) => [`symphony-${variant.what}`.toLowerCase(), variant]))
    await compare(context, {
      name: 'options',
      systems: [...named.keys()].map((name) => ({ ...symphony, name })),
      configure: async ({ name }) => named.get(name)?.config ?? {},
      async measure(processes, system, config) {
        const change = named.get(system.name)?.autovacuum
        for (const table of change ? ['pending', 'processing'] : [])
          await context.control.query(`ALTER TABLE ${schemaOf(system)}.messenger_messages_${table} ${change}`)
        await settle(context)
        // Batches of ten take ten times as long; fewer say the same.
        return drained(context, processes, config, (config.batchSize ?? 10) < 100 ? n / 5 : n)
      },
    })
  },
}
