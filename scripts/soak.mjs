/**
 * `npm run soak -- --minutes N`: the fault tests in their long form.
 *
 * One round after the other, each with its own seed: chaos over everything at once (kills, SIGTERM, stalls,
 * connections cut in the middle of an answer, held commits, restarts, with and without a transaction pooler) against a
 * ledger of what was promised and what was counted. With `--figures` first every fault test in its full measure, which
 * takes half an hour by itself. The exit code is 1 when anything was lost, done twice or otherwise wrong.
 *
 *   --minutes N    how long, 10 by default
 *   --figures      each scenario in its full measure, once, before the chaos
 *   --only WORD    only scenarios whose file name contains it, in their full measure; no chaos
 *   --seed N       the seed of the first round, to repeat a bad one
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ensureAddon } from './setup/addon.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages } from './setup/dependencies.mjs'
import { withoutConfiguration } from './setup/environment.mjs'
import { at, root } from './setup/paths.mjs'
import { outputOf, runNode } from './setup/process.mjs'
import { bold, green, main, red, step } from './setup/step.mjs'

const MINUTE = 60_000
/** One round of chaos; what follows it, until all is done, comes on top. */
const ROUND_MS = 45_000
const report = at('target', 'soak', 'figures.jsonl')

const { values: asked } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    figures: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string' },
  },
})
const minutes = Number(asked.minutes)
if (!(minutes > 0)) throw new Error(`--minutes wants a number above 0, not ${asked.minutes}`)

let failed = 0
let seed = asked.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(asked.seed)

await main(async () => {
  await ensurePackages()
  await ensureAddon('debug')
  await ensureBundle()
  mkdirSync(at('target', 'soak'), { recursive: true })
  rmSync(report, { force: true })
  if (asked.only !== undefined) await round(`full measure of ${asked.only}`, [asked.only], { FAULTS_SOAK: '1' })
  else await soak()
  summarize()
  return failed > 0 ? 1 : 0
})

async function soak() {
  const end = Date.now() + minutes * MINUTE
  if (asked.figures) await round('every scenario in its full measure', ['__test__/faults/'], { FAULTS_SOAK: '1' })
  for (let number = 1; number === 1 || Date.now() < end; number++) {
    const span = Math.max(5000, Math.min(ROUND_MS, end - Date.now()))
    await round(`chaos, round ${number}`, ['__test__/faults/chaos'], { FAULTS_CHAOS_MS: String(span) })
  }
}

/** @param {string} name @param {string[]} files @param {Record<string, string>} settings */
async function round(name, files, settings) {
  const env = { ...withoutConfiguration(), ...settings, FAULTS_SEED: String(seed), FAULTS_FILE: report }
  const run = () =>
    runNode(at('node_modules/vitest/vitest.mjs'), ['run', '--no-file-parallelism', ...files], { cwd: root, env })
  await step(`${name} (seed ${seed})`, run).catch((error) => {
    if (outputOf(error) === undefined) throw error
    failed++
  })
  seed++
}

/** What was measured, one line per scenario, and the sum of the chaos. */
function summarize() {
  /** @type {Array<{ scenario: string, seed: number, figures: Record<string, number | string> }>} */
  const lines = read(report).map((line) => JSON.parse(line))
  console.log(bold('\nfigures'))
  for (const { scenario, figures } of lines) {
    const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
    console.log(`${scenario}: ${words.join(', ')}`)
  }
  const sum = (/** @type {string} */ name) =>
    lines.reduce((all, { figures }) => all + (typeof figures[name] === 'number' ? figures[name] : 0), 0)
  const faults = ['kills', 'terms', 'stops', 'cuts', 'terminations', 'holds', 'restarts']
    .map((name) => `${sum(name)} ${name}`)
    .join(', ')
  const lost = sum('lost')
  const doubled = sum('two outcomes') + sum('handled twice without excuse')
  const text = `\n${sum('promised') + sum('messages')} messages, ${faults}: ${lost} lost, ${doubled} doubled, ${failed} rounds failed`
  console.log(failed > 0 || lost > 0 || doubled > 0 ? red(text) : green(text))
  if (lost > 0 || doubled > 0) failed ||= 1
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
