/** Starts the processes of one system on a clean schema. */
import { existsSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { at } from '../../scripts/setup/paths.mjs'
import { SystemProcess } from './process.mjs'

const child = fileURLToPath(new URL('../child.mjs', import.meta.url))

/** The Node.js that every system runs on: the newest one that all of them support, where bench/ has it installed. */
export function node() {
  const own = at('bench', 'node_modules', `node-${platform()}-${arch()}`, 'bin', 'node')
  return existsSync(own) ? own : process.execPath
}

/**
 * Runs `work` with `processes` processes of a system, whose tables are new and empty.
 *
 * @template T
 * @param {import('./context.mjs').Context} context
 * @param {import('../systems/catalog.mjs').Listed} system
 * @param {object} config
 * @param {{ processes?: number, url?: string }} how
 * @param {(processes: SystemProcess[], version: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSystem(context, system, config, { processes = 1, url = context.url }, work) {
  const schema = schemaOf(system)
  await context.control.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  if (system.file === 'raw') await migrateFor(context, schema)
  if (system.file === 'bullmq-redis') await context.redis?.clear(schema)
  /** @type {SystemProcess[]} */
  const started = []
  try {
    for (let index = 0; index < processes; index++) started.push(launch(context, system))
    let version = ''
    // One after the other: the first one creates the tables.
    for (const process of started)
      version = (await process.ask('open', { url, schema, config: { ...config, ...context.redisFor(system) } })).version
    return await work(started, version)
  } finally {
    await Promise.all(started.map((process) => process.end()))
  }
}

/** @param {import('../systems/catalog.mjs').Listed} system */
export const schemaOf = (system) => `bench_${system.name.replaceAll('-', '_')}`

/** @param {import('./context.mjs').Context} context @param {import('../systems/catalog.mjs').Listed} system */
function launch({ floor }, system) {
  if (system.file === 'raw') return new SystemProcess(system.name, floor, [])
  return new SystemProcess(system.name, node(), [child, system.file])
}

/** The floor uses Symphony's tables. */
async function migrateFor(context, schema) {
  const symphony = new SystemProcess('symphony', node(), [child, 'symphony'])
  try {
    await symphony.ask('open', { url: context.url, schema, config: {} })
    await symphony.ask('close')
  } finally {
    await symphony.end()
  }
}
