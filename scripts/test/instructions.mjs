/**
 * How many instructions the core spends on a message where it only computes: reading and enclosing what is dispatched,
 * encoding a batch, writing what is delivered, reading what is reported. Counted by valgrind, so that a busy machine
 * changes nothing.
 *
 * The tests in `src/hot_paths.rs` run with few and with many messages; the difference is what a message costs.
 */
import { findProgram } from '../servers/program.mjs'
import { run } from '../setup/process.mjs'

const [few, many] = [1, 201]

/**
 * The most that a message may cost, and what it cost when the limit was set (x86-64, Rust 1.95, the debug build that
 * counts lines). A limit is a fifth above: an innocent change moves a figure by a few percent, a copy or a second
 * parse of the payload by far more.
 */
const paths = [
  { name: 'hot_paths::dispatching', measured: 47310, limit: 56800 },
  { name: 'backends::postgres::transport::hot_path::encoding', measured: 20060, limit: 24100 },
  { name: 'hot_paths::delivering', measured: 52190, limit: 62600 },
  { name: 'hot_paths::reporting', measured: 6515, limit: 7800 },
]

/**
 * @param {string[]} testPrograms
 * @param {(line: string) => void} [say]
 * @returns {Promise<import('./counts.mjs').Counts>} One test per path.
 */
export async function checkInstructions(testPrograms, say = console.log) {
  const program = testPrograms.find((path) => /[\\/]symphony-[0-9a-f]+(\.exe)?$/.test(path))
  const tool = await counter()
  if ('missing' in tool || !program) {
    say(`  skipped: instructions a message: ${'missing' in tool ? tool.missing : 'the unit tests were not built'}`)
    return { passed: 0, failed: 0, skipped: paths.length }
  }
  let failed = 0
  for (const { name, measured, limit } of paths) {
    const cost = await perMessage(tool.path, program, name)
    const tooMany = cost > limit
    if (tooMany) failed++
    say(`  ${tooMany ? '✗' : '✓'} ${name}: ${cost} instructions a message, at most ${limit} (${measured} when set)`)
  }
  return { passed: paths.length - failed, failed, skipped: 0 }
}

/** The tool, where the limits mean something. */
async function counter() {
  const here = `${process.platform} on ${process.arch}`
  if (here !== 'linux on x64') return { missing: `the limits are those of linux on x64, this is ${here}` }
  return findProgram('valgrind', 'valgrind')
}

/** @param {string} valgrind @param {string} program @param {string} test */
async function perMessage(valgrind, program, test) {
  const [least, most] = await Promise.all([few, many].map((messages) => count(valgrind, program, test, messages)))
  return Math.round((most - least) / (many - few))
}

async function count(valgrind, program, test, messages) {
  const counting = ['--tool=cachegrind', '--cache-sim=no', '--branch-sim=no', '--cachegrind-out-file=/dev/null']
  // Line counts of a run that only counts instructions are nobody's coverage.
  const env = { SYMPHONY_HOT_PATH_MESSAGES: String(messages), LLVM_PROFILE_FILE: '/dev/null' }
  const output = await run(valgrind, [...counting, program, '--ignored', '--exact', test], { env, timeLimit: 600_000 })
  const [, refs] = /I +refs: +([\d,]+)/.exec(output) ?? []
  if (!refs || !/test result: ok. 1 passed/.test(output))
    throw new Error(`${test} did not run under valgrind:\n${output}`)
  return Number(refs.replaceAll(',', ''))
}
