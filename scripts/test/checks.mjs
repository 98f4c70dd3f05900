/** Formatting, lints and types of both languages. */
import { at, root } from '../setup/paths.mjs'
import { run, runNode } from '../setup/process.mjs'
import { hostTriple } from './host.mjs'

const inRoot = { cwd: root, background: true }
const biome = at('node_modules/@biomejs/biome/bin/biome')
const tsc = at('node_modules/typescript/bin/tsc')
/** Programs beside the core. */
const programs = ['scripts/rust-coverage/Cargo.toml', 'bench/raw/Cargo.toml', 'bench/decisions/Cargo.toml'].map(
  (path) => at(path),
)

/** @type {Record<string, () => Promise<unknown>>} */
export const rustChecks = {
  'cargo fmt': async () => {
    await run('cargo', ['fmt', '--check'], inRoot)
    for (const path of programs) await run('cargo', ['fmt', '--check', '--manifest-path', path], inRoot)
  },
  // The same target as the builds, so that build scripts and macros compile once.
  'cargo clippy': async () =>
    run('cargo', ['clippy', '--target', await hostTriple(), '--all-targets', '--', '-D', 'warnings'], inRoot),
}

/** @type {Record<string, () => Promise<unknown>>} */
export const styleChecks = {
  biome: () => runNode(biome, ['check', '--error-on-warnings'], inRoot),
}

/** These want the bundle: tests and demo import the package by its name. @type {Record<string, () => Promise<unknown>>} */
export const typeChecks = {
  tsc: () => runNode(tsc, ['--noEmit'], inRoot),
  'tsc scripts': () => runNode(tsc, ['--project', 'scripts'], inRoot),
}

/**
 * Comments of what is public: a link that leads nowhere fails. The types are what `tsc` has checked.
 *
 * @type {Record<string, () => Promise<unknown>>}
 */
export const documentChecks = {
  'API reference': () =>
    runNode(at('node_modules/typedoc/bin/typedoc'), ['--emit', 'none', '--skipErrorChecking'], inRoot),
}

export async function format() {
  await run('cargo', ['fmt'], inRoot)
  for (const path of programs) await run('cargo', ['fmt', '--manifest-path', path], inRoot)
  await runNode(biome, ['check', '--write'], inRoot)
}
