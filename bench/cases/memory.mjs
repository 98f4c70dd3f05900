/** Memory while 1,000,000 messages of 1 KiB are drained. */
import { readFileSync } from 'node:fs'
import { compare, must, withPostgresCpu } from '../harness/compare.mjs'
import { settle } from '../harness/drained.mjs'
import { schemaOf } from '../harness/launch.mjs'
import { fillSymphony } from '../harness/prefill.mjs'
import { median } from '../harness/statistics.mjs'
import { fastest } from '../harness/sweep.mjs'

export default {
  name: 'memory',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const n = Math.round(1_000_000 * context.options.scale)
    await compare(context, {
      name: 'memory',
      systems: context.systems.filter(
        ({ file, name }) => ['raw', 'symphony'].includes(file) && !name.endsWith('-kept'),
      ),
      configure: (system) => fastest(context, system, 'drain'),
      rounds: 1,
      async measure([process], system, config) {
        await fillSymphony(context, schemaOf(system), { n, bytes: 960 })
        await settle(context)
        const idle = residentMb(process.pid)
        const memory = watch(process.pid)
        const sample = await withPostgresCpu(context, () => process.ask('drain', { n, config }))
        const seen = memory.stop()
        must(sample.n, n, 'messages handled')
        must(sample.repeated, 0, 'messages handled twice')
        const half = seen.length >> 1
        const more = {
          idleMb: idle,
          mostMb: Math.max(idle, ...seen),
          firstHalfMb: median(seen.slice(0, half)) ?? idle,
          secondHalfMb: median(seen.slice(half)) ?? idle,
        }
        return { ...sample, rssMb: more.mostMb, more: { ...more, aboveIdleMb: more.mostMb - idle } }
      },
    })
  },
}

/** Asks the system, ten times per second, so that the process itself is not disturbed. */
function watch(pid) {
  /** @type {number[]} */
  const seen = []
  const timer = setInterval(() => seen.push(residentMb(pid)), 100)
  return {
    stop() {
      clearInterval(timer)
      return seen
    },
  }
}

/** @returns {number} 0 where the system does not tell. */
function residentMb(pid) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) / 1024
  } catch {
    return 0
  }
}
