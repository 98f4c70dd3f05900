/** `npm run demo`: all set-up, then `examples/demo`. */
import { startPostgres } from './postgres.mjs'
import { ensureAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { at, root } from './setup/paths.mjs'
import { atEnd, show } from './setup/process.mjs'
import { main, step } from './setup/step.mjs'

await main(async () => {
  await ensurePackages()
  await Promise.all([ensureAddon('release'), ensureBundle()])
  const url = process.env.SYMPHONY_DATABASE_URL || (await embeddedPostgres())
  return show(process.execPath, [at('examples/demo/main.mjs')], { cwd: root, env: { SYMPHONY_DATABASE_URL: url } })
})

async function embeddedPostgres() {
  const postgres = await step('embedded Postgres', () => startPostgres())
  atEnd(postgres.stop)
  return postgres.url
}
