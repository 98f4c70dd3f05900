/**
 * One debug build that counts which lines ran, for the cargo tests and for vitest alike.
 *
 * Only the crate itself is instrumented (a wrapper around rustc), so the dependencies are those of every debug build.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { buildAddonInto } from '../setup/addon.mjs'
import { at, root } from '../setup/paths.mjs'
import { run } from '../setup/process.mjs'
import { hostTriple } from './host.mjs'

const folder = at('target', 'coverage')
const profiles = `${folder}/profiles`
const tools = at('target', 'tools')

/** Nobody debugs this build or compiles it twice: a fifth less work, and an addon of 47 MB instead of 73. */
const plain = { CARGO_INCREMENTAL: '0', CARGO_PROFILE_DEV_DEBUG: 'none' }
// `%m`: one file per binary, shared by its processes. `%c`: counted in the mapped file, so a killed process counts too.
const instrumented = { ...plain, ...compilerOptions(), LLVM_PROFILE_FILE: `${profiles}/%m%c.profraw` }

/** Whether one build can make both: the wrapper alone keeps unit tests, the crate once more, from describing it to the typings again. */
const together = process.platform !== 'win32'
const packages = ['--package', 'symphony', '--package', 'bench-raw']
const inJson = ['--message-format=json-render-diagnostics']

function compilerOptions() {
  if (process.platform !== 'win32') return { RUSTC_WORKSPACE_WRAPPER: at('scripts/rust-coverage/instrument.sh') }
  // No shell there: instruments the dependencies as well, which only takes longer.
  return { RUSTFLAGS: '-C instrument-coverage -C llvm-args=-runtime-counter-relocation' }
}

/**
 * Builds the addon, the programs of the cargo tests, and the floor of the benchmark, which a test runs.
 *
 * In one go: alone, each would have other features of its dependencies and another environment for napi's build script,
 * and half of the dependencies and the crate would be compiled twice.
 *
 * @typedef {{ addon: string, testPrograms: string[], floor?: string }} Built Their paths; no floor on Windows.
 * @returns {Promise<Built>}
 */
export async function build() {
  try {
    const wanted = together ? [...packages, '--lib', '--tests', '--bins', ...inJson] : []
    const { addon, output } = await buildAddonInto(`${folder}/addon`, instrumented, wanted)
    const programs = programsIn(together ? output : await buildTests())
    const paths = (/** @type {boolean} */ test) => programs.filter((it) => it.profile.test === test).map(executable)
    return { addon, testPrograms: paths(true), floor: paths(false)[0] }
  } catch (error) {
    error.all &&= error.all.replaceAll(/^\{"reason":.*\n/gm, '')
    throw error
  }
}

async function buildTests() {
  const parameters = ['test', '--target', await hostTriple(), '--no-run', ...inJson]
  return run('cargo', parameters, { cwd: root, env: instrumented })
}

/** What cargo says of the programs that it has built, one JSON text per line. @param {string} output */
function programsIn(output) {
  const lines = output.split('\n').filter((line) => line.startsWith('{"reason":"compiler-artifact"'))
  return lines.map((line) => JSON.parse(line)).filter(executable)
}

const executable = (artifact) => artifact.executable

/**
 * Runs the cargo tests of one program, as `cargo test` does.
 *
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 * @param {number} timeLimit In milliseconds.
 */
export function runTests(program, env, timeLimit) {
  return run(program, [], { cwd: root, env: { ...env, ...instrumented }, timeLimit })
}

/** What vitest needs in its environment to run its tests on what was built. @param {Built} built */
export function environmentFor({ addon, floor }) {
  return { SYMPHONY_TEST_ADDON: addon, SYMPHONY_TEST_FLOOR: floor, LLVM_PROFILE_FILE: instrumented.LLVM_PROFILE_FILE }
}

/** Forgets what was counted. Build scripts count too, so this comes after the build. */
export function resetCounts() {
  rmSync(profiles, { recursive: true, force: true })
  mkdirSync(profiles, { recursive: true })
}

/** Builds the tool that reads the counts, and returns what its own tests printed. */
export async function buildReporter() {
  const options = ['--locked', '--manifest-path', at('scripts/rust-coverage/Cargo.toml'), '--target-dir', tools]
  await run('cargo', ['build', ...options], { cwd: root, background: true })
  return run('cargo', ['test', ...options], { cwd: root, background: true })
}

/**
 * The report on all that ran since `resetCounts`, in lcov's format.
 *
 * @param {string[]} objects The instrumented addon and test programs.
 */
export function reportCounts(objects) {
  const found = readdirSync(profiles).map((name) => `${profiles}/${name}`)
  const program = `${tools}/debug/rust-coverage${process.platform === 'win32' ? '.exe' : ''}`
  return run(program, [at('src'), '--profiles', ...found, '--objects', ...objects], { cwd: root })
}
