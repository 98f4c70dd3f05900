/** The end-to-end tests: the example, built, servers with their frameworks, and vitest against them. */
import { rmSync } from 'node:fs'
import { ensureApplication, ensureBuild } from '../example/application.mjs'
import { at, root } from '../setup/paths.mjs'
import { runNode } from '../setup/process.mjs'
import { buildNewApplication } from './new-application.mjs'
import { ensureServers } from './servers.mjs'
import { ensureTools } from './tools.mjs'

/** Where the counts are, when the tests have run. */
export const report = at('target', 'test', 'e2e.json')

/**
 * The builds that the tests run: the example as on a server of one's own, and one that stands alone; a new application.
 *
 * @param {string} addon
 * @param {{ webpack?: boolean, long?: boolean }} [options] `webpack`: these two by webpack as well, which takes its
 *   time; `long`: also what the tests in `long/` install.
 */
export async function prepare(addon, { webpack = false, long = false } = {}) {
  await ensureApplication(addon)
  await ensureServers(addon)
  await ensureBuild()
  await ensureBuild({ folder: '.next-standalone', standalone: true })
  await buildNewApplication(addon, 'turbopack')
  if (long) await ensureTools(addon)
  if (!webpack) return
  await ensureBuild({ folder: '.next-webpack', standalone: true, bundler: 'webpack' })
  await buildNewApplication(addon, 'webpack')
}

/** @param {{ env?: NodeJS.ProcessEnv, timeLimit?: number, only?: string[] }} [options] `only`: parts of file names. */
export function runEndToEnd({ env, timeLimit, only = [] } = {}) {
  rmSync(report, { force: true })
  const config = ['--config', at('vitest.e2e.config.mts')]
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const vitest = at('node_modules/vitest/vitest.mjs')
  return runNode(vitest, ['run', ...config, ...reporters, ...only], { cwd: root, env, timeLimit })
}
