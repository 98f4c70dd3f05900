/**
 * Measures systems alternately, and makes one figure of several rounds.
 *
 * @typedef {object} Measurement
 * @property {string} case
 * @property {string} system
 * @property {string} version
 * @property {object} config
 * @property {number} n Messages, or samples.
 * @property {number | null} perSecond Median of the rounds.
 * @property {[number, number] | null} spread Slowest and fastest round.
 * @property {number | null} p50 Milliseconds.
 * @property {number | null} p99 Milliseconds.
 * @property {number | null} cpuNode Microseconds per message, of the system's own processes.
 * @property {number | null} cpuPostgres Microseconds per message, of the server.
 * @property {number | null} rssMb Most memory of a process.
 * @property {number | null} ratioToRaw How many times as fast as the floor; where time counts, the floor's p50 over its own.
 * @property {number | null} ratioToBestPeer The same to the fastest peer.
 * @property {Record<string, any>} [more] What only this case tells.
 *
 * @typedef {object} Sample One round.
 * @property {number} n
 * @property {number} [ms]
 * @property {number} [cpu] Seconds.
 * @property {number | null} [cpuPostgres] Seconds.
 * @property {number} [rssMb]
 * @property {number[]} [times] Milliseconds.
 * @property {Record<string, any>} [more]
 *
 * @typedef {(processes: import('./process.mjs').SystemProcess[], system: import('../systems/catalog.mjs').Listed, config: any) => Promise<Sample>} Measure
 *   Throws `Void` when a count is wrong.
 */
import { withSystem } from './launch.mjs'
import { median, percentile, rounded } from './statistics.mjs'

/**
 * @param {import('./context.mjs').Context} context
 * @param {object} comparison
 * @param {string} comparison.name Of the case.
 * @param {import('../systems/catalog.mjs').Listed[]} comparison.systems
 * @param {(system: import('../systems/catalog.mjs').Listed) => Promise<object>} comparison.configure
 * @param {(config: any) => object} [comparison.settings] What of the configuration the system is opened with: all of it.
 * @param {(system: import('../systems/catalog.mjs').Listed) => object} [comparison.how] Processes and URL.
 * @param {Measure} comparison.measure
 * @param {number} [comparison.rounds]
 */
export async function compare(
  context,
  { name, systems, configure, settings = (it) => it, how = () => ({}), measure, rounds },
) {
  const configs = new Map()
  for (const system of systems) configs.set(system, await configure(system))
  /** @type {Map<import('../systems/catalog.mjs').Listed, Sample[]>} */
  const samples = new Map(systems.map((system) => [system, []]))
  const versions = new Map()
  for (let round = 0; round < (rounds ?? context.options.rounds); round++) {
    for (const system of systems) {
      const config = configs.get(system)
      try {
        const sample = await withSystem(context, system, settings(config), how(system), (processes, version) => {
          versions.set(system, version)
          return measure(processes, system, config)
        })
        samples.get(system)?.push(sample)
      } catch (error) {
        context.say(`  ${name} ${system.name}: void: ${error.message.split('\n').slice(0, 6).join('\n    ')}`)
        context.options.failed = true
      }
    }
  }
  for (const system of systems) {
    const taken = samples.get(system) ?? []
    if (taken.length === 0) continue
    const result = {
      case: name,
      system: system.name,
      version: versions.get(system),
      config: configs.get(system),
      ...summary(taken),
    }
    context.results.push(result)
  }
}

/** A wrong count: the figure means nothing. */
export class Void extends Error {}

/** @param {unknown} got @param {unknown} wanted @param {string} what @throws {Void} */
export function must(got, wanted, what) {
  if (got !== wanted) throw new Void(`${what}: ${got}, not ${wanted}`)
}

/** Adds the server's CPU time to a sample. @param {import('./context.mjs').Context} context @param {() => Promise<any>} work */
export async function withPostgresCpu(context, work) {
  const before = context.postgresCpu()
  const sample = await work()
  const after = context.postgresCpu()
  return { ...sample, cpuPostgres: before === null || after === null ? null : after - before }
}

/** @param {Sample[]} samples */
function summary(samples) {
  const rates = samples.flatMap(({ n, ms }) => (ms ? [(1000 * n) / ms] : []))
  const each = (value) => median(samples.map(value).filter((it) => Number.isFinite(it)))
  const time = (share) => each(({ times }) => (times ? percentile(times, share) : Number.NaN))
  const micros = (seconds) =>
    each((sample) => (sample[seconds] == null ? Number.NaN : (1e6 * sample[seconds]) / sample.n))
  return {
    n: samples[0].n,
    perSecond: rounded(median(rates)),
    spread: rates.length ? /** @type {any} */ ([rounded(Math.min(...rates)), rounded(Math.max(...rates))]) : null,
    p50: rounded(time(0.5)),
    p99: rounded(time(0.99)),
    cpuNode: rounded(micros('cpu')),
    cpuPostgres: rounded(micros('cpuPostgres')),
    rssMb: rounded(each(({ rssMb }) => rssMb ?? Number.NaN)),
    ratioToRaw: null,
    ratioToBestPeer: null,
    ...(samples[0].more && { more: mergedMore(samples) }),
  }
}

/** Medians of numbers; of anything else the last. */
function mergedMore(samples) {
  const last = samples.at(-1).more
  const entry = ([key, value]) => {
    if (typeof value !== 'number') return [key, value]
    return [key, rounded(median(samples.map(({ more }) => more[key])))]
  }
  return Object.fromEntries(Object.entries(last).map(entry))
}
