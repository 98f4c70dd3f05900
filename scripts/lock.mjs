/**
 * `node scripts/lock.mjs`: completes the lock files, so that each package that is installed is compared with its
 * integrity.
 *
 * npm leaves it out for packages of other platforms when it writes a lock file from an installed `node_modules`. Their
 * entries are taken out here, and npm resolves them again from the registry in use; nothing is installed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from './setup/dependencies.mjs'
import { at } from './setup/paths.mjs'
import { main, step } from './setup/step.mjs'

await main(async () => {
  for (const folder of ['.', 'examples/nextjs', '__test__/e2e/servers'])
    await step(`lock of ${folder}`, () => complete(at(folder)))
  return 0
})

/** @param {string} folder */
async function complete(folder) {
  const file = join(folder, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  for (const [path, { integrity, link }] of Object.entries(lock.packages)) {
    if (path.includes('node_modules/') && !integrity && !link) delete lock.packages[path]
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  await npm(['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
}
