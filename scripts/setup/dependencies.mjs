/** The npm packages and the Rust toolchain. */
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { atEnd } from './ending.mjs'
import { at, root } from './paths.mjs'
import { run } from './process.mjs'
import { step } from './step.mjs'

/** Installs the npm packages when they are missing or older than the lock file. */
export async function ensurePackages() {
  ensureNode()
  const installed = at('node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs) return
  await step('npm packages', install)
}

/** Without `run`, which is one of these packages. */
async function install() {
  const { program, parameters, shell } = npmCommand(['ci', '--no-audit', '--no-fund'])
  const installing = promisify(execFile)(program, parameters, { cwd: root, shell })
  atEnd(async () => {
    installing.child.kill()
    await installing
  })
  await installing
}

/** The package runs on every Node.js 20; its bundler and its test runner want a later one. */
function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Error(`Building and testing want Node.js 20.19 or later; this is ${process.version}.`)
}

/**
 * Runs npm.
 *
 * @param {string[]} parameters
 * @param {{ cwd: string }} options
 */
export function npm(parameters, { cwd }) {
  const command = npmCommand(parameters)
  return run(command.program, command.parameters, { cwd, shell: command.shell })
}

/** The way this platform starts npm. @param {string[]} parameters */
function npmCommand(parameters) {
  const itself = process.env.npm_execpath
  if (itself?.endsWith('npm-cli.js')) return { program: process.execPath, parameters: [itself, ...parameters] }
  return { program: 'npm', parameters, shell: process.platform === 'win32' }
}

/** @throws {Error} Without a Rust toolchain. */
export async function ensureRust() {
  await run('cargo', ['--version'], { cwd: root }).catch(() => {
    throw new Error('The addon is written in Rust, and `cargo` is not on the PATH. Install Rust: https://rustup.rs')
  })
}
