/**
 * `npm test`: all set-up, all checks, all tests of both languages, the coverage of both.
 *
 * A failed check or test does not stop the others; the exit code and the last line tell.
 */
import { rmSync } from 'node:fs'
import { startPgbouncer } from './servers/pgbouncer.mjs'
import { startTestPostgres } from './servers/postgres.mjs'
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages, ensureRust } from './setup/dependencies.mjs'
import { atEnd } from './setup/ending.mjs'
import { withoutConfiguration } from './setup/environment.mjs'
import { at, root } from './setup/paths.mjs'
import { outputOf, runNode } from './setup/process.mjs'
import { bold, green, main, red, step } from './setup/step.mjs'
import { documentChecks, rustChecks, styleChecks, typeChecks } from './test/checks.mjs'
import { cargoCounts, none, total, vitestCounts } from './test/counts.mjs'
import { libraryLines, percent, rustLines } from './test/coverage.mjs'
import { report as endToEndReport, prepare, runEndToEnd } from './test/end-to-end.mjs'
import { checkInstructions } from './test/instructions.mjs'
import * as instrumented from './test/instrumented.mjs'

/** Percent of lines, of the Rust core and of `lib/` each. */
const leastCoverage = 80
/** For the tests of one language, in milliseconds: a test that hangs has to end some time. */
const timeLimit = 20 * 60_000
/** What goes through PgBouncer a second time; all of it does with `SYMPHONY_TEST_POOLED=1 npx vitest run`. */
const pooledTests = [
  'dispatch',
  'order',
  'deduplication',
  'dead-letters',
  'exactly-once',
  'hostile',
  'consume',
  'worker/worker',
].map((name) => `__test__/${name}`)
const vitestReport = at('target', 'test', 'vitest.json')

/** @type {Record<string, import('./test/counts.mjs').Counts>} */
const results = {
  checks: none(),
  'cargo tests': none(),
  vitest: none(),
  'vitest, pooled': none(),
  'end-to-end': none(),
  'coverage reporter': none(),
  instructions: none(),
  coverage: none(),
}

await main(async () => {
  await ensurePackages()
  await ensureRust()
  const [{ addon, testPrograms }] = await Promise.all([buildRust(), buildTypeScript()])
  const server = await database()
  const pooled = await pooler(server)
  const env = { ...withoutConfiguration(), SYMPHONY_TEST_DATABASE_URL: server, SYMPHONY_TEST_POOLED_URL: pooled }

  instrumented.resetCounts()
  if (testPrograms) await counted('cargo tests', () => instrumented.runTests(env, timeLimit), cargoCounts)
  if (addon) {
    const counting = { ...env, ...instrumented.environmentFor(addon) }
    await vitest('vitest', counting, ['--coverage'])
    if (pooled) await vitest('vitest, pooled', { ...counting, SYMPHONY_TEST_POOLED: '1' }, pooledTests)
    await endToEnd(addon, counting)
  }
  if (testPrograms) await instructions(testPrograms)
  const coverage = addon && testPrograms ? await measure([addon, ...testPrograms]) : {}
  return summarize(coverage)
})

async function buildRust() {
  await checks({ 'cargo fmt': rustChecks['cargo fmt'] })
  const addon = await built('addon (debug, instrumented)', instrumented.buildAddon)
  const testPrograms = await built('cargo tests, build', instrumented.buildTests)
  await counted('coverage reporter', instrumented.buildReporter, cargoCounts)
  await checks({ 'cargo clippy': rustChecks['cargo clippy'] })
  return { addon, testPrograms }
}

async function buildTypeScript() {
  await checks(styleChecks)
  await ensureBundle().catch((error) => failed('checks', error))
  await checks({ ...typeChecks, ...documentChecks })
}

/** What a build makes; nothing when it fails, which counts as a failed check. */
async function built(name, build) {
  try {
    return await step(name, build)
  } catch (error) {
    failed('checks', error)
    return undefined
  }
}

/** Runs checks one after the other; each counts like a test. */
async function checks(all) {
  for (const [name, check] of Object.entries(all)) {
    await step(name, check).then(
      () => results.checks.passed++,
      (error) => failed('checks', error),
    )
  }
}

function failed(kind, error) {
  if (outputOf(error) === undefined) console.error(error)
  results[kind].failed++
}

/** The server to test on: the one given, or an embedded one. */
async function database() {
  if (process.env.SYMPHONY_DATABASE_URL) return process.env.SYMPHONY_DATABASE_URL
  const postgres = await step('embedded Postgres', startTestPostgres)
  atEnd(postgres.stop)
  return postgres.url
}

/** The URL of a PgBouncer in front of the server; nothing where there is none and none can be installed. */
async function pooler(server) {
  const started = await step('PgBouncer', () => startPgbouncer(server))
  if ('missing' in started) {
    console.log(`the tests through a transaction pooler are skipped: ${started.missing}`)
    return undefined
  }
  atEnd(started.stop)
  return started.url
}

/** @param {string} kind @param {NodeJS.ProcessEnv} env @param {string[]} parameters */
async function vitest(kind, env, parameters) {
  rmSync(vitestReport, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`]
  const all = ['run', ...parameters, ...reporters]
  const run = () => runNode(at('node_modules/vitest/vitest.mjs'), all, { cwd: root, env, timeLimit })
  await counted(kind, run, () => vitestCounts(vitestReport))
}

async function endToEnd(addon, env) {
  rmSync(endToEndReport, { force: true })
  try {
    await prepare(addon)
  } catch (error) {
    return failed('end-to-end', error)
  }
  await counted(
    'end-to-end',
    () => runEndToEnd({ env, timeLimit }),
    () => vitestCounts(endToEndReport),
  )
}

/** Runs a step that prints its own counts; a failure that it does not count is one. */
async function counted(kind, work, read) {
  try {
    results[kind] = read(await step(kind, work))
  } catch (error) {
    results[kind] = read(outputOf(error) ?? '')
    if (results[kind].failed === 0) failed(kind, error)
  }
}

async function instructions(testPrograms) {
  try {
    results.instructions = await step('instructions a message', () => checkInstructions(testPrograms))
  } catch (error) {
    failed('instructions', error)
  }
}

async function measure(objects) {
  try {
    const rust = await step('coverage', async () => rustLines(await instrumented.reportCounts(objects)))
    const coverage = { 'Rust core': rust, lib: libraryLines() }
    for (const lines of Object.values(coverage))
      results.coverage[percent(lines) < leastCoverage ? 'failed' : 'passed']++
    return coverage
  } catch (error) {
    failed('coverage', error)
    return {}
  }
}

/** Prints the tables and, last, the line that tools read. */
function summarize(coverage) {
  console.log(bold(`\n${'coverage'.padEnd(20)}${'lines'.padStart(9)}`))
  for (const [name, lines] of Object.entries(coverage)) {
    const share = percent(lines)
    const text = `${share.toFixed(1)} %`.padStart(9)
    const enough = share >= leastCoverage
    const remark = enough ? '' : red(`  below ${leastCoverage} %`)
    console.log(`${name.padEnd(20)}${enough ? green(text) : red(text)}  ${lines.covered} of ${lines.total}${remark}`)
  }
  console.log(bold(`\n${'tests'.padEnd(20)}${'passed'.padStart(9)}${'failed'.padStart(9)}${'skipped'.padStart(9)}`))
  for (const [kind, { passed, failed, skipped }] of Object.entries(results)) {
    const cells = [passed, failed, skipped].map((number) => String(number).padStart(9)).join('')
    console.log(failed > 0 ? red(`${kind.padEnd(20)}${cells}`) : `${kind.padEnd(20)}${cells}`)
  }
  const sum = total(Object.values(results))
  console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
  return sum.failed > 0 ? 1 : 0
}
