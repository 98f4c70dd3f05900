/** `npm run build`, `npm run build:debug`: the addon and the bundle; with `--bundle` only that, as for a release. */
import { ensureAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { main } from './setup/step.mjs'

await main(async () => {
  await ensurePackages()
  if (!process.argv.includes('--bundle')) await ensureAddon(process.argv.includes('--debug') ? 'debug' : 'release')
  await ensureBundle()
})
