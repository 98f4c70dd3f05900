/** `npm run demo`: all set-up, then `examples/demo`. */
import { startPostgres } from './servers/postgres.mjs'
import { ensureAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { atEnd } from './setup/ending.mjs'
import { withoutConfiguration } from './setup/environment.mjs'
import { at, root } from './setup/paths.mjs'
import { show } from './setup/process.mjs'
import { main, step } from './setup/step.mjs'

await main(async () => {
  await ensurePackages()
  await Promise.all([ensureAddon('release'), ensureBundle()])
  const url = process.env.SYMPHONY_DATABASE_URL || (await embeddedPostgres())
  const env = { ...withoutConfiguration(['SYMPHONY_DIRECT_URL']), SYMPHONY_DATABASE_URL: url }
  return show(process.execPath, [at('examples/demo/main.mjs')], { cwd: root, env })
})

async function embeddedPostgres() {
  const postgres = await step('embedded Postgres', () => startPostgres())
  atEnd(postgres.stop)
  return postgres.url
}
