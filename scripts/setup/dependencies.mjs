/** The npm packages and the Rust toolchain. */
import { existsSync, statSync } from 'node:fs'
import { at, root } from './paths.mjs'
import { run } from './process.mjs'
import { step } from './step.mjs'

/** Installs the npm packages when they are missing or older than the lock file. */
export async function ensurePackages() {
  ensureNode()
  const installed = at('node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs) return
  await step('npm packages', () => npm(['ci', '--no-audit', '--no-fund'], { cwd: root }))
}

/** The package runs on every Node.js 20; its bundler and its test runner want a later one. */
function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Error(`Building and testing want Node.js 20.19 or later; this is ${process.version}.`)
}

/**
 * Runs npm, whichever way this platform starts it.
 *
 * @param {string[]} parameters
 * @param {Parameters<typeof run>[2]} [options]
 */
export function npm(parameters, options) {
  const itself = process.env.npm_execpath
  if (itself?.endsWith('npm-cli.js')) return run(process.execPath, [itself, ...parameters], options)
  return run('npm', parameters, { ...options, shell: process.platform === 'win32' })
}

/** @throws {Error} Without a Rust toolchain. */
export async function ensureRust() {
  await run('cargo', ['--version'], { cwd: root }).catch(() => {
    throw new Error('The addon is written in Rust, and `cargo` is not on the PATH. Install Rust: https://rustup.rs')
  })
}
