/** The addon: the Rust core as a file that Node loads, with its loader `binding.js` and typings `binding.d.ts`. */
import { copyFileSync, existsSync, readdirSync, statSync } from 'node:fs'
import { ensureRust } from './dependencies.mjs'
import { at, root } from './paths.mjs'
import { runNode } from './process.mjs'
import { contentHash, isStamped, stamp } from './stamp.mjs'
import { step } from './step.mjs'

const sources = ['src', 'migrations', 'build.rs', 'Cargo.toml', 'Cargo.lock', 'package.json']
const generated = ['binding.js', 'binding.d.ts']

/**
 * Builds the addon at the root of the repository, unless it is there already.
 *
 * @param {'release' | 'debug'} profile
 */
export async function ensureAddon(profile) {
  const inputs = `${profile} ${contentHash(sources)}`
  const isThere = generated.every((name) => existsSync(at(name)))
  if (isThere && isStamped('addon', `${inputs} ${identity()}`)) return
  await ensureRust()
  await step(`addon (${profile}${profile === 'release' ? ', takes minutes the first time' : ''})`, () =>
    buildAddon(profile === 'release' ? ['--release'] : []),
  )
  stamp('addon', `${inputs} ${identity()}`)
}

/** Tells this addon from one that was put in its place by hand. */
function identity() {
  const file = findAddon(root)
  if (!file) return 'none'
  const { size, mtimeMs } = statSync(file)
  return `${file} ${size} ${mtimeMs}`
}

/**
 * Builds the addon into a folder of its own and leaves the one at the root alone.
 *
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} cargo What cargo is to do beside that.
 * @returns {Promise<{ addon: string, output: string }>} Path of the addon, and what cargo printed.
 */
export async function buildAddonInto(folder, env, cargo) {
  const output = await buildAddon(['--output-dir', folder, '--', ...cargo], env)
  // The loader and the typings are the same for every profile, and the facade wants them at the root.
  for (const name of generated) copyFileSync(`${folder}/${name}`, at(name))
  return { addon: /** @type {string} */ (findAddon(folder)), output }
}

/**
 * The addon for this machine in a folder.
 *
 * @param {string} folder
 */
export function findAddon(folder) {
  if (!existsSync(folder)) return undefined
  const name = readdirSync(folder).find((name) => /^symphony\..*\.node$/.test(name))
  return name && `${folder}/${name}`
}

function buildAddon(options, env = {}) {
  const names = ['--js', 'binding.js', '--dts', 'binding.d.ts']
  return runNode(at('node_modules/@napi-rs/cli/dist/cli.js'), ['build', '--platform', ...names, ...options], {
    cwd: root,
    env,
  })
}
