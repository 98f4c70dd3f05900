/**
 * One debug build that counts which lines ran, for the cargo tests and for vitest alike.
 *
 * Only the crate itself is instrumented (a wrapper around rustc), so the dependencies are those of every debug build.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildAddonInto } from '../setup/addon.mjs'
import { at, root } from '../setup/paths.mjs'
import { run } from '../setup/process.mjs'
import { hostTriple } from './host.mjs'

const folder = at('target', 'coverage')
const profiles = `${folder}/profiles`
const tools = at('target', 'tools')

// `%m`: one file per binary, shared by its processes. `%c`: counted in the mapped file, so a killed process counts too.
const instrumented = { ...compilerOptions(), LLVM_PROFILE_FILE: `${profiles}/%m%c.profraw` }

function compilerOptions() {
  if (process.platform !== 'win32') return { RUSTC_WORKSPACE_WRAPPER: at('scripts/rust-coverage/instrument.sh') }
  // No shell there: instruments the dependencies as well, which only takes longer.
  return { RUSTFLAGS: '-C instrument-coverage -C llvm-args=-runtime-counter-relocation' }
}

/** Builds the addon and returns its path. */
export function buildAddon() {
  return buildAddonInto(`${folder}/addon`, instrumented)
}

/** Builds the cargo tests and returns the paths of their programs. */
export async function buildTests() {
  const output = await cargoTest(['--no-run'])
  return [...output.matchAll(/^ *Executable .*\((.+)\)$/gm)].map(([, path]) => resolve(root, path))
}

/** Runs the cargo tests. @param {NodeJS.ProcessEnv} env @param {number} timeLimit In milliseconds. */
export function runTests(env, timeLimit) {
  return cargoTest(['--no-fail-fast'], { env, timeLimit })
}

/** @param {string[]} parameters @param {{ env?: NodeJS.ProcessEnv, timeLimit?: number }} [options] */
async function cargoTest(parameters, { env, timeLimit } = {}) {
  return run('cargo', ['test', '--target', await hostTriple(), ...parameters], {
    cwd: root,
    env: { ...env, ...instrumented },
    timeLimit,
  })
}

/** What vitest needs in its environment to run its tests on the instrumented addon. @param {string} addon */
export function environmentFor(addon) {
  return { SYMPHONY_TEST_ADDON: addon, LLVM_PROFILE_FILE: instrumented.LLVM_PROFILE_FILE }
}

/** Forgets what was counted. Build scripts count too, so this comes after the build. */
export function resetCounts() {
  rmSync(profiles, { recursive: true, force: true })
  mkdirSync(profiles, { recursive: true })
}

/** Builds the tool that reads the counts, and returns what its own tests printed. */
export async function buildReporter() {
  const options = ['--locked', '--manifest-path', at('scripts/rust-coverage/Cargo.toml'), '--target-dir', tools]
  await run('cargo', ['build', ...options], { cwd: root })
  return run('cargo', ['test', ...options], { cwd: root })
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
