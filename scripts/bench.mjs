/** `npm run bench`: all set-up, then `bench/`. */
import { existsSync, statSync } from 'node:fs'
import { readOptions, usage } from '../bench/options.mjs'
import { startPostgres } from './servers/postgres.mjs'
import { ensureAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages, npm } from './setup/dependencies.mjs'
import { atEnd } from './setup/ending.mjs'
import { ensureFloor } from './setup/floor.mjs'
import { at } from './setup/paths.mjs'
import { main, step } from './setup/step.mjs'

await main(async () => {
  if (process.argv.includes('--help')) return console.log(usage)
  const options = readOptions(process.argv.slice(2))
  options.chart ??= at('target', 'bench', 'results.svg')
  await ensurePackages()
  if (options.peers) await ensurePeers()
  await ensureAddon('release')
  await ensureBundle()
  const floor = await ensureFloor('release')
  const { url, dataDir } = await database()
  // What it imports is installed by now.
  const { bench } = await import('../bench/run.mjs')
  const { code } = await bench({ url, dataDir, floor, options })
  console.log(`chart: ${options.chart}`)
  return code
})

/** The systems to compare with, in `bench/node_modules`. */
async function ensurePeers() {
  const installed = at('bench', 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('bench', 'package-lock.json')).mtimeMs) return
  await step('peers', () => npm(['ci', '--no-audit', '--no-fund'], { cwd: at('bench') }))
}

/** The server given, or an embedded one with its default settings, `synchronous_commit = on` among them. */
async function database() {
  if (process.env.SYMPHONY_DATABASE_URL) return { url: process.env.SYMPHONY_DATABASE_URL, dataDir: undefined }
  const postgres = await step('embedded Postgres', () => startPostgres())
  atEnd(postgres.stop)
  return postgres
}
