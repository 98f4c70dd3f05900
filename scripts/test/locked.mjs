/** Packages from the registry that only some tests need, as a lock file of theirs names them. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../setup/dependencies.mjs'
import { at } from '../setup/paths.mjs'
import { contentHash, isStamped, stamp } from '../setup/stamp.mjs'
import { step } from '../setup/step.mjs'

/**
 * Installs them when they are missing or older than the lock file.
 *
 * @param {string} name What they are for.
 * @param {string} source The folder with `package.json` and `package-lock.json`, relative to the root.
 * @param {string} home Where they will be.
 * @param {'ci' | 'install'} [how] `install` forgives a lock file that does not know all optional packages of other
 *   platforms, some of which are not everywhere to be had.
 */
export async function ensureLocked(name, source, home, how = 'ci') {
  const lock = ['package.json', 'package-lock.json'].map((file) => `${source}/${file}`)
  mkdirSync(home, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(at(source, file), join(home, file))
  const wanted = contentHash(lock)
  if (existsSync(join(home, 'node_modules')) && isStamped(name, wanted)) return
  await step(`npm packages of the ${name}`, () => npm([how, '--no-audit', '--no-fund'], { cwd: home }))
  stamp(name, wanted)
}
