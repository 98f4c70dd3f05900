/**
 * `npm test`: all set-up, all checks, all tests of both languages, the coverage of both.
 *
 * A failed check or test does not stop the others; the exit code and the last line tell.
 */
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
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
const givenServer = process.env.SYMPHONY_DATABASE_URL
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
  const bundling = ensureBundle().catch((error) => failed('checks', error))
  const checking = bundling.then(() => checks({ ...styleChecks, ...typeChecks, ...documentChecks }))
  const build = await built('addon and cargo tests, instrumented', instrumented.build)
  await bundling
  instrumented.resetCounts()
  // Most tests wait most of the time, and the checks beside them take only what is left over.
  await beside([
    checkRust,
    ...(build ? [() => cargoTests(build), () => vitestTests(build), () => endToEnd(build)] : []),
  ])
  await checking
  return summarize(build ? await measure([build.addon, ...build.testPrograms]) : {})
})

/**
 * At the same time, each with a server of its own: what one test asks about a whole server is not about the others.
 * On a server that was given, one after the other.
 *
 * @param {Array<() => Promise<unknown>>} lanes
 */
async function beside(lanes) {
  if (!givenServer) return Promise.all(lanes.map((lane) => lane()))
  for (const lane of lanes) await lane()
}

async function checkRust() {
  await counted('coverage reporter', instrumented.buildReporter, cargoCounts)
  await checks(rustChecks)
}

async function cargoTests({ testPrograms }) {
  const env = await surroundings()
  for (const program of testPrograms) {
    const name = `cargo tests: ${basename(program).replace(/-[0-9a-f]+(\.exe)?$/, '')}`
    await counted('cargo tests', () => instrumented.runTests(program, env, timeLimit), cargoCounts, name)
  }
  await instructions(testPrograms)
}

async function vitestTests(build) {
  const env = { ...(await surroundings()), ...instrumented.environmentFor(build) }
  await vitest('vitest', env, ['--coverage'])
  if (env.SYMPHONY_TEST_POOLED_URL) await vitest('vitest, pooled', { ...env, SYMPHONY_TEST_POOLED: '1' }, pooledTests)
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

/** The environment of tests: the server given, or an embedded one, and a PgBouncer in front of it where one can be had. */
async function surroundings() {
  const server = givenServer ?? (await embedded())
  return {
    ...withoutConfiguration(),
    SYMPHONY_TEST_DATABASE_URL: server,
    SYMPHONY_TEST_POOLED_URL: await pooler(server),
  }
}

async function embedded() {
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

async function endToEnd(build) {
  rmSync(endToEndReport, { force: true })
  const env = { ...(await surroundings()), ...instrumented.environmentFor(build) }
  try {
    await prepare(build.addon)
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
async function counted(kind, work, read, name = kind) {
  const add = (/** @type {string} */ output) => {
    const counts = read(output)
    results[kind] = total([results[kind], counts])
    return counts
  }
  try {
    add(await step(name, work))
  } catch (error) {
    if (add(outputOf(error) ?? '').failed === 0) failed(kind, error)
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
