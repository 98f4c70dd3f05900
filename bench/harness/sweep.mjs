/** The small search, before anything is measured, for the fastest of a system's candidates. */
import { withSystem } from './launch.mjs'

/**
 * @param {import('./context.mjs').Context} context
 * @param {import('../systems/catalog.mjs').Listed} system
 * @param {'enqueue' | 'drain'} kind
 * @returns {Promise<any>} The candidate with the highest rate; the first one without a sweep.
 */
export async function fastest(context, system, kind) {
  const key = `${kind} ${system.name}`
  const known = context.swept.get(key)
  if (known) return known
  const candidates = system[kind]
  const best =
    context.options.sweep && candidates.length > 1 ? await search(context, system, kind, candidates) : candidates[0]
  context.swept.set(key, best)
  context.say(`  ${kind} ${system.name}: ${JSON.stringify(best)} (${system.keeps})`)
  return best
}

/** How often each candidate is tried; its best counts, since what disturbs a run only ever makes it slower. */
const tries = 2

async function search(context, system, kind, candidates) {
  const n = system.slow && kind === 'drain' ? 1000 : context.options.sweep
  let best = { candidate: candidates[0], rate: 0 }
  for (const candidate of Array.from({ length: tries }, () => candidates).flat()) {
    const config = kind === 'drain' ? candidate : {}
    const rate = await withSystem(context, system, config, {}, async ([process]) => {
      const filling = kind === 'enqueue' ? candidate : { batch: 1000, lanes: 2 }
      const filled = await process.ask('enqueueBatch', { n, ...filling })
      const result = kind === 'enqueue' ? filled : await process.ask('drain', { n, config: candidate })
      return result.n / result.ms
    })
    if (rate > best.rate) best = { candidate, rate }
  }
  return best.candidate
}
