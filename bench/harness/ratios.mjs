/** How each figure stands to the floor and to the best peer. */
import { systems } from '../systems/catalog.mjs'
import { rounded } from './statistics.mjs'

/** The floor of each system: what keeps finished rows is compared with what keeps them. */
const floors = { 'symphony-kept': 'raw-kept' }
const peers = new Set(systems.filter(({ own }) => !own).map(({ name }) => name))

/**
 * Fills in the ratios of all measurements. On Redis nothing waits for a disk, so that peer is not among the best: the
 * tables show it beside them.
 *
 * @param {import('./compare.mjs').Measurement[]} results
 * @param {Record<string, { case: string, system?: string }>} floorCases Where the floor is a figure of another case.
 */
export function addRatios(results, floorCases) {
  for (const result of results) {
    const floor = floorCases[result.case] ?? { case: result.case }
    const raw = results.find(
      (it) => it.case === floor.case && it.system === (floor.system ?? floors[result.system] ?? 'raw'),
    )
    const others = results.filter((it) => it.case === result.case && peers.has(it.system) && it !== result)
    const onPostgres = others.filter(({ system }) => system !== 'bullmq-redis')
    result.ratioToRaw = raw ? ratio(result, raw) : null
    const ratios = onPostgres.map((it) => ratio(result, it)).filter((it) => it !== null)
    result.ratioToBestPeer = ratios.length ? Math.min(.../** @type {number[]} */ (ratios)) : null
  }
}

function ratio(one, other) {
  if (byTime(one)) return other.p50 && one.p50 ? rounded(other.p50 / one.p50) : null
  return one.perSecond && other.perSecond ? rounded(one.perSecond / other.perSecond) : null
}

/** Cases without a rate worth comparing. @param {import('./compare.mjs').Measurement} result */
export const byTime = ({ case: name }) => /^(latency|cold-start)/.test(name)
