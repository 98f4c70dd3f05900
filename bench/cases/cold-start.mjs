/** A new process: load, connect, send one message, end. What a function on a cold start pays. */
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { withoutConfiguration } from '../../scripts/setup/environment.mjs'
import { at } from '../../scripts/setup/paths.mjs'
import { compare, must } from '../harness/compare.mjs'
import { node, schemaOf } from '../harness/launch.mjs'

const program = fileURLToPath(new URL('../cold.mjs', import.meta.url))

export default {
  name: 'cold-start',
  /** @param {import('../harness/context.mjs').Context} context */
  async run(context) {
    const starts = Math.max(2, Math.round(20 * Math.min(1, context.options.scale)))
    await compare(context, {
      name: 'cold-start',
      systems: context.systems.filter(({ enqueue, file }) => enqueue.length > 0 && file !== 'raw'),
      configure: async () => ({}),
      rounds: 1,
      async measure([process], system) {
        const given = { url: context.url, schema: schemaOf(system), ...context.redisFor(system) }
        await start(system.file, given)
        /** @type {Array<Awaited<ReturnType<typeof start>>>} */
        const all = []
        for (let time = 0; time < starts; time++) all.push(await start(system.file, given))
        must((await process.ask('count')).waiting, starts + 1, 'messages that wait')
        const mean = (key) => all.reduce((sum, it) => sum + it[key], 0) / all.length
        const parts = { emptyNode: await emptyNode(starts), load: mean('load'), connectAndSend: mean('send') }
        const addon = system.file === 'symphony' ? { addon: await addonAlone(starts) } : {}
        return {
          n: starts,
          times: all.map(({ ms }) => ms),
          rssMb: Math.max(...all.map(({ rssMb }) => rssMb)),
          more: { ...parts, ...addon },
        }
      },
    })
  },
}

async function start(file, given) {
  const begin = performance.now()
  const output = await run([program, file, JSON.stringify(given)])
  return { ms: performance.now() - begin, ...JSON.parse(output) }
}

/** How long the addon itself takes to load, in processes that do nothing else. */
async function addonAlone(times) {
  const code = 'const t = performance.now(); require(process.argv[1]); console.log(performance.now() - t)'
  let sum = 0
  for (let time = 0; time < times; time++) sum += Number(await run(['--eval', code, at('binding.js')]))
  return sum / times
}

async function emptyNode(times) {
  const begin = performance.now()
  for (let time = 0; time < times; time++) await run(['--eval', '0'])
  return (performance.now() - begin) / times
}

async function run(parameters) {
  const env = { ...process.env, ...withoutConfiguration(), NODE_ENV: 'production' }
  const { stdout } = await execa(node(), parameters, { env, stdin: 'ignore', stderr: 'inherit' })
  return stdout
}
