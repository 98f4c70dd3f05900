/** The floor of the benchmark: the bare client in `bench/raw`. */
import { ensureRust } from './dependencies.mjs'
import { at, root } from './paths.mjs'
import { run } from './process.mjs'
import { step } from './step.mjs'

/**
 * Builds it; nothing to do takes cargo a moment.
 *
 * @param {'release' | 'debug'} profile
 * @returns {Promise<string>} Path of the program.
 */
export async function ensureFloor(profile) {
  await ensureRust()
  const where = ['--manifest-path', at('bench', 'raw', 'Cargo.toml'), '--target-dir', at('target', 'bench')]
  const how = profile === 'release' ? ['--release'] : []
  await step(`floor (${profile})`, () => run('cargo', ['build', '--locked', ...how, ...where], { cwd: root }))
  return at('target', 'bench', profile, process.platform === 'win32' ? 'bench-raw.exe' : 'bench-raw')
}
