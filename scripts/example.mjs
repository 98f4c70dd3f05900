/**
 * `npm run example`: the Next.js application in `examples/nextjs` with all that it needs, on this machine.
 *
 * A Postgres, a mail server, an SMS provider, the application, and somebody who calls its cron routes every second as
 * Vercel would every minute. `-- --dev` starts it with hot reload, `-- --legacy` with the queue switched off.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureApplication, ensureBuild } from './example/application.mjs'
import { callCron, cronPaths } from './example/cron.mjs'
import { figures } from './example/figures.mjs'
import { makeTables, newSecrets, startServer } from './example/server.mjs'
import { startSurroundings } from './example/surroundings.mjs'
import { freePort } from './servers/ports.mjs'
import { startPostgres } from './servers/postgres.mjs'
import { ensureAddon, findAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { atEnd, isEnding } from './setup/ending.mjs'
import { withoutConfiguration } from './setup/environment.mjs'
import { root } from './setup/paths.mjs'
import { bold, dim, main, red, step } from './setup/step.mjs'

const mode = process.argv.includes('--dev') ? 'dev' : 'start'
const enabled = String(!process.argv.includes('--legacy'))
/** Between two calls of the cron routes, and what a mail takes, in milliseconds: so that the page shows how it goes. */
const pause = 1_000
const latency = 60

await main(async () => {
  await ensurePackages()
  // It shows what the queue does, not how fast: a debug build is there in a third of the time.
  await Promise.all([ensureAddon('debug'), ensureBundle()])
  await ensureApplication(String(findAddon(root)))
  if (mode === 'start') await ensureBuild()

  const secrets = newSecrets()
  const surroundings = await startSurroundings({ latency })
  atEnd(surroundings.stop)
  const env = { ...environment(await database(), surroundings), ...secrets }
  await step('tables', () => makeTables(env))
  const port = await freePort(Number(process.env.PORT ?? 3000))
  const server = await step('application', () => startServer({ env, mode, port }))
  atEnd(server.stop)

  introduce(server.url, secrets)
  await callForEver(server, secrets, surroundings)
})

async function database() {
  if (process.env.SYMPHONY_DATABASE_URL) return process.env.SYMPHONY_DATABASE_URL
  const postgres = await step('embedded Postgres', () => startPostgres())
  atEnd(postgres.stop)
  return postgres.url
}

function environment(url, { mail, sms }) {
  return {
    ...withoutConfiguration(['SYMPHONY_DIRECT_URL']),
    SYMPHONY_DATABASE_URL: url,
    SYMPHONY_ENABLED: enabled,
    SYMPHONY_EMAIL_QUEUE_ENABLED: enabled,
    SYMPHONY_CAMPAIGN_PROCESSING_ENABLED: enabled,
    SYMPHONY_SMS_DRIP_ENABLED: enabled,
    SMTP_URL: mail.url,
    SMS_URL: sms.url,
  }
}

function introduce(url, { OPERATOR_TOKEN }) {
  console.log(`
${bold(url)}  sends e-mails, campaigns and SMS, and shows the queue at work
${dim('curl')} -H 'authorization: Bearer ${OPERATOR_TOKEN}' ${url}/api/symphony/status
The cron routes are called every ${pause / 1_000} s. Ctrl-C ends everything.
`)
}

/** Calls the cron routes, and prints a line whenever something has changed. */
async function callForEver(server, { CRON_SECRET, OPERATOR_TOKEN }, surroundings) {
  let last = ''
  for (;;) {
    const calls = cronPaths().map((path) => callCron(server.url, path, CRON_SECRET))
    for (const call of await Promise.allSettled(calls)) if (call.status === 'rejected') complain(call.reason)
    const line = await figures(server.url, OPERATOR_TOKEN, surroundings).catch(complain)
    if (line && line !== last) console.log(`${dim(new Date().toISOString().slice(11, 19))}  ${line}`)
    last = line ?? last
    await sleep(pause)
  }
}

function complain(error) {
  if (!isEnding()) console.error(red(error.message))
}
