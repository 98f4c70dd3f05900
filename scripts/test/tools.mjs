/** Programs that only the long end-to-end tests need: Node.js of other versions, and package managers. */
import { join } from 'node:path'
import { at } from '../setup/paths.mjs'
import { step } from '../setup/step.mjs'
import { packRelease } from '../setup/tarballs.mjs'
import { ensureLocked } from './locked.mjs'

const home = at('target', 'test', 'tools')
/** Of this package and of the platform package, as `packRelease` returns them. */
export const tarballs = at('target', 'test', 'tarballs')

/** A file of one of these packages. @param {string[]} parts */
export const tool = (...parts) => join(home, 'node_modules', ...parts)

/** Node.js of a version, such as 24. @param {number} major */
export const nodeOf = (major) => tool(`node${major}`, 'bin', 'node')

/** Installs the tools, and packs what the tests install. @param {string} addon */
export async function ensureTools(addon) {
  await ensureLocked('tools', '__test__/e2e/tools', home)
  await step('tarballs', () => packRelease(addon, tarballs))
}
