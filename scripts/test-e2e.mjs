/**
 * `npm run test:e2e`: the example and a new application, built as a user would, against real sockets. `-- crash` runs
 * one file; `-- --webpack` tests what webpack makes beside what Turbopack does. Those in `long/`, which install a lot, run
 * here alone, and not in `npm test`.
 */
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
  const webpack = process.argv.includes('--webpack')
  const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  await prepare(String(findAddon(root)), { webpack, long: true })
  const env = { E2E_WEBPACK: webpack ? '1' : undefined, E2E_LONG: '1' }
  console.log(await step('end-to-end tests', () => runEndToEnd({ env, only })))
  const { passed, failed, skipped } = vitestCounts(report)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
})
