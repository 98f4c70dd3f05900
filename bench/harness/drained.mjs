/** Fills a queue, drains it, and checks that each message was handled once and nothing is left. */
import { must, withPostgresCpu } from './compare.mjs'
import { median } from './statistics.mjs'

/**
 * @param {import('./context.mjs').Context} context
 * @param {import('./process.mjs').SystemProcess[]} processes
 * @param {any} config
 * @param {number} n
 * @param {{ fill?: () => Promise<unknown> }} [how]
 */
export async function drained(context, processes, config, n, { fill } = {}) {
  const [first] = processes
  await (fill?.() ?? first.ask('enqueueBatch', { n, batch: 1000, lanes: 2 }))
  await settle(context)
  const sample = await withPostgresCpu(context, async () => {
    const results = await Promise.all(processes.map((process) => process.ask('drain', { n, config })))
    return together(results)
  })
  const { waiting, running } = await first.ask('count')
  must(sample.n, n, 'messages handled')
  must(sample.repeated, 0, 'messages handled twice')
  must(waiting + running, 0, 'messages left')
  return sample
}

/** Every system begins with clean tables and nothing to be written back. @param {import('./context.mjs').Context} context */
export async function settle(context) {
  await context.control.query('VACUUM ANALYZE')
  await context.control.query('CHECKPOINT').catch(() => {})
}

/** The result of several processes at the same work: from the first start to the last end. */
export function together(results) {
  const sum = (key) => results.reduce((total, result) => total + (result[key] ?? 0), 0)
  return {
    n: sum('n'),
    repeated: sum('repeated'),
    ms: Math.max(...results.map(({ endedAt }) => endedAt)) - Math.min(...results.map(({ startedAt }) => startedAt)),
    cpu: sum('cpu'),
    rssMb: median(results.map(({ rssMb }) => rssMb)) ?? undefined,
  }
}

/**
 * How the second half of the time went, measured by the first: 1 where nothing changed.
 *
 * @param {Array<{ progress: Array<[number, number]> }>} results
 */
export function drift(results) {
  const points = results.map(({ progress }) => progress)
  const begin = Math.min(...points.map((it) => it[0]?.[0] ?? Number.NaN))
  const end = Math.max(...points.map((it) => it.at(-1)?.[0] ?? Number.NaN))
  const done = (at) => points.reduce((sum, it) => sum + (it.findLast(([time]) => time <= at)?.[1] ?? 0), 0)
  const [start, middle, finish] = [done(begin), done((begin + end) / 2), done(end)]
  return middle > start ? (finish - middle) / (middle - start) : Number.NaN
}
