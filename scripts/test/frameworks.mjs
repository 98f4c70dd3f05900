/** The applications of `__test__/e2e/frameworks/`, each made with its framework, with the packed package installed. */
import { copyFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../setup/dependencies.mjs'
import { at } from '../setup/paths.mjs'
import { run } from '../setup/process.mjs'
import { step } from '../setup/step.mjs'
import { ensureLocked } from './locked.mjs'
import { nodeOf } from './tools.mjs'

/**
 * @typedef {object} Framework
 * @property {string} builder Its program, in `node_modules`; called with `build`.
 * @property {string} server What that makes.
 * @property {string} sources The folder in which the application finds `queue.mjs`.
 * @property {boolean} [guarded] It refuses what may come from a form of another site.
 */

/** @type {Record<string, Framework>} */
export const FRAMEWORKS = {
  sveltekit: { builder: 'vite/bin/vite.js', server: 'build/index.js', sources: 'src', guarded: true },
  nuxt: { builder: 'nuxt/bin/nuxt.mjs', server: '.output/server/index.mjs', sources: 'server' },
  astro: { builder: 'astro/bin/astro.mjs', server: 'dist/server/entry.mjs', sources: 'src', guarded: true },
}

/** The newest versions want a newer Node.js than this package does. */
export const node = nodeOf(24)

/** Where the application is. @param {string} name */
export const homeOf = (name) => at('target', 'test', `framework-${name}`)

/**
 * Installs the framework and the package, and builds the application.
 *
 * @param {string} name
 * @param {string[]} tarballs
 */
export async function buildFramework(name, tarballs) {
  const source = `__test__/e2e/frameworks/${name}`
  const home = homeOf(name)
  const { builder, sources } = FRAMEWORKS[name]
  cpSync(at(source), home, { recursive: true })
  copyFileSync(at('__test__/e2e/frameworks/queue.mjs'), join(home, sources, 'queue.mjs'))
  await ensureLocked(name, source, home, 'install')
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], { cwd: home })
  const env = { ASTRO_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined }
  await step(`${name}, build`, () => run(node, [join(home, 'node_modules', builder), 'build'], { cwd: home, env }))
}
