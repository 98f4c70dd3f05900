/** `npm run test:e2e`: the example, built as a user would, against real sockets. `-- crash` runs one file. */
import { ensureAddon, findAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { root } from './setup/paths.mjs'
import { main, step } from './setup/step.mjs'
import { vitestCounts } from './test/counts.mjs'
import { prepare, report, runEndToEnd } from './test/end-to-end.mjs'

await main(async () => {
  await ensurePackages()
  await Promise.all([ensureAddon('debug'), ensureBundle()])
  await prepare(String(findAddon(root)))
  console.log(await step('end-to-end tests', () => runEndToEnd({ only: process.argv.slice(2) })))
  const { passed, failed, skipped } = vitestCounts(report)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
})
