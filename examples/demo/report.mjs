/** What the demo says: what it is about to do, and at the end what it counted beside what Postgres says. */
import { bold, dim, green, number, red } from './style.mjs'

/** Prints what comes. @param {import('./messages.mjs').Job[]} jobs */
export function announce(jobs) {
  const count = (holds) => number(jobs.filter(holds).length)
  const ofType = (type) => count((job) => job.message.type === type)
  const types = `${ofType('EmailMessage')} e-mails, ${ofType('CampaignMessage')} campaign steps, ${ofType('SmsMessage')} SMS`
  const kinds = [
    `${count((job) => job.options.delay)} scheduled`,
    `${count((job) => job.repeated)} dispatched twice`,
    `${count((job) => job.failure?.kind === 'once')} fail once`,
    `${count((job) => job.failure && job.failure.kind !== 'once')} fail forever`,
  ]
  console.log(`\n${bold(`${number(jobs.length)} messages`)}: ${types}\n${dim(kinds.join(', '))}\n`)
}

/**
 * Prints the table.
 *
 * @param {import('./messages.mjs').Job[]} jobs
 * @param {import('./ledger.mjs').Ledger} ledger
 * @param {import('./audit.mjs').Audit} audit
 * @returns {string[]} What does not add up; empty when every message is accounted for.
 */
export function report(jobs, ledger, audit) {
  const prompt = jobs.filter((job) => !job.options.delay && !job.failure).map((job) => job.key)
  const inDatabase = audit.completed + audit.deadLettered + audit.waiting
  /** @type {Array<[string, number, number?]>} */
  const rows = [
    ['dispatched', ledger.stored, inDatabase],
    ['duplicates refused', ledger.duplicates, audit.duplicates],
    ['handled', ledger.succeeded.size, audit.completed],
    ['retried', ledger.retried, audit.retried],
    ['dead-lettered', ledger.deadLettered, audit.deadLettered],
    ['handled twice', ledger.twice, audit.doubled.length],
    ['lost', jobs.length - ledger.succeeded.size - ledger.deadLettered, audit.lost.length],
    ['messages per second *', ledger.rate(prompt)],
  ]
  const line = (left, middle, right) => `  ${left.padEnd(22)}${middle.padStart(12)}${right.padStart(14)}`
  console.log(`\n${dim(line('', 'the demo', 'in Postgres'))}`)
  for (const [name, ours, theirs] of rows) {
    const text = line(name, number(ours), theirs === undefined ? '' : number(theirs))
    const agrees = theirs === undefined || ours === theirs
    console.log(agrees ? (name === 'lost' ? bold(text) : text) : red(text))
  }
  console.log(
    dim(
      `\n  * from the first dispatch to the last of the ${number(prompt.length)} that were due at once and did not fail`,
    ),
  )
  return problems(jobs, ledger, audit)
}

/**
 * Prints the dead letters as an operator looks at them: by their error.
 *
 * @param {import('@leadmap/symphony/admin').ListedFailedMessage[]} messages
 */
export function reportDeadLetters(messages) {
  console.log(`\n  ${bold(`${number(messages.length)} dead letters`)}`)
  for (const [line, count] of countBy(messages, describe)) console.log(`  ${String(count).padStart(4)} × ${line}`)
}

function describe({ type, retryCount, error }) {
  return `${type.padEnd(17)}${dim(retryCount === 0 ? 'not retried' : `${retryCount} retries`.padEnd(11))}  ${error}`
}

function countBy(items, name) {
  const counts = new Map()
  for (const item of items) counts.set(name(item), (counts.get(name(item)) ?? 0) + 1)
  return [...counts].sort(([, left], [, right]) => right - left)
}

/** Prints the verdict. @param {string[]} problems */
export function reportVerdict(problems, seconds) {
  if (problems.length === 0)
    console.log(`\n${green('✓ every message is accounted for')} ${dim(`in ${seconds.toFixed(1)} s`)}`)
  for (const problem of problems) console.log(red(`✗ ${problem}`))
}

function problems(jobs, ledger, audit) {
  const expected = {
    dead: jobs.filter((job) => job.failure && job.failure.kind !== 'once').length,
    duplicates: jobs.filter((job) => job.repeated).length,
  }
  const claims = [
    [ledger.refused.length === 0, `${ledger.refused.length} dispatches failed: ${ledger.refused[0]?.message}`],
    [ledger.stored === jobs.length, `${ledger.stored} of ${jobs.length} messages were stored`],
    [ledger.duplicates === expected.duplicates, `${ledger.duplicates} duplicates refused, not ${expected.duplicates}`],
    [
      audit.duplicates === expected.duplicates,
      `Postgres counts ${audit.duplicates} duplicates, not ${expected.duplicates}`,
    ],
    [audit.completed === jobs.length - expected.dead, `Postgres has ${audit.completed} completed messages`],
    [
      audit.completed === ledger.succeeded.size,
      `${ledger.succeeded.size} messages handled, ${audit.completed} in Postgres`,
    ],
    [audit.deadLettered === expected.dead, `Postgres has ${audit.deadLettered} dead letters, not ${expected.dead}`],
    [ledger.deadLettered === expected.dead, `${ledger.deadLettered} dead letters counted, not ${expected.dead}`],
    [ledger.retried === audit.retried, `${ledger.retried} retries counted, ${audit.retried} in Postgres`],
    [ledger.twice === 0, `${ledger.twice} messages were handled twice`],
    [audit.waiting === 0, `${audit.waiting} messages still wait`],
    [audit.doubled.length === 0, `${audit.doubled.length} messages stand twice in Postgres`],
    [audit.lost.length === 0, `${audit.lost.length} messages are lost: ${audit.lost.slice(0, 3).join(', ')}`],
  ]
  return claims.filter(([holds]) => !holds).map(([, problem]) => String(problem))
}
