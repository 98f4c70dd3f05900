/**
 * The demo: thousands of messages through a real Postgres, and an account of each.
 *
 * `npm run demo` prepares everything and starts this file with SYMPHONY_DATABASE_URL set.
 */
import { randomBytes } from 'node:crypto'
import { close, migrate, setConfig } from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { Auditor } from './audit.mjs'
import { consume } from './consume.mjs'
import { registerHandlers } from './handlers.mjs'
import { Ledger } from './ledger.mjs'
import { createJobs } from './messages.mjs'
import { produce } from './produce.mjs'
import { showProgress } from './progress.mjs'
import { announce, report, reportDeadLetters, reportVerdict } from './report.mjs'

/** Past this the demo stops and tells what is missing. */
const timeLimit = 50_000

// A schema of its own: nothing of yours is touched in a database that you bring.
const schema = `symphony_demo_${randomBytes(4).toString('hex')}`
setConfig({
  database: { schema },
  // The report lists the dead letters; their log lines would stand between those of the progress.
  logging: { level: 'silent' },
  retry: { default: { maxRetries: 3, delay: '250ms', multiplier: 2, maxDelay: '2s' } },
})

const auditor = new Auditor(String(process.env.SYMPHONY_DATABASE_URL), schema)
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort())

try {
  process.exitCode = await demo()
} finally {
  await close()
  await auditor.dropSchema()
  await auditor.close()
}

async function demo() {
  await migrate()
  const jobs = createJobs()
  const ledger = new Ledger()
  registerHandlers(jobs, ledger)
  announce(jobs)

  const hideProgress = showProgress(ledger, jobs.length)
  const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(timeLimit)])
  let produced = false
  await Promise.all([
    produce(jobs, ledger).finally(() => {
      produced = true
    }),
    consume(ledger, async () => produced && (await auditor.unfinished()) === 0, signal),
  ])
  ledger.ended = performance.now()
  hideProgress()
  if (interrupted.signal.aborted) return 130

  const problems = report(jobs, ledger, await auditor.audit(jobs))
  const { messages } = await listFailed({ limit: 1000 })
  reportDeadLetters(messages)
  reportVerdict(problems, ledger.seconds)
  return problems.length === 0 ? 0 : 1
}
