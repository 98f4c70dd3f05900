/** `npm run decisions`: repeats the figures of docs/decisions/ that are about other people's crates. */
import { startPgbouncer } from './servers/pgbouncer.mjs'
import { startTestPostgres } from './servers/postgres.mjs'
import { ensurePackages, ensureRust } from './setup/dependencies.mjs'
import { atEnd } from './setup/ending.mjs'
import { at, root } from './setup/paths.mjs'
import { run } from './setup/process.mjs'
import { main, step } from './setup/step.mjs'

/** @param {string} name @param {string[]} parameters */
const program = (name, parameters = []) => {
  const manifest = [
    '--manifest-path',
    at('bench', 'decisions', 'Cargo.toml'),
    '--target-dir',
    at('target', 'decisions'),
  ]
  return run('cargo', ['run', '--quiet', ...manifest, '--bin', name, '--', ...parameters], { cwd: root })
}

await main(async () => {
  await ensurePackages()
  await ensureRust()
  console.log(await step('readers of cron expressions', () => program('cron')))
  const postgres = await step('embedded Postgres', startTestPostgres)
  atEnd(postgres.stop)
  const pooler = await step('PgBouncer', () => startPgbouncer(postgres.url))
  if ('missing' in pooler) return console.log(`clients behind a pooler are skipped: ${pooler.missing}`)
  atEnd(pooler.stop)
  console.log(await step('clients behind a pooler', () => program('poolers', [pooler.url])))
})
