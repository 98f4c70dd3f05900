/** The example as its user has it: packages installed, Symphony from its package, built. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../setup/dependencies.mjs'
import { runNode } from '../setup/process.mjs'
import { contentHash, isStamped, stamp } from '../setup/stamp.mjs'
import { step } from '../setup/step.mjs'
import { copyPackage, copyPlatform, platformOf } from '../setup/tarballs.mjs'
import { example, inExample, next } from './paths.mjs'

const lock = ['examples/nextjs/package.json', 'examples/nextjs/package-lock.json']
const sources = [
  'app',
  'handlers',
  'lib',
  'instrumentation.ts',
  'next.config.ts',
  'symphony.config.ts',
  'tsconfig.json',
]

/** No build of ours tells anybody of it. */
const quiet = { NEXT_TELEMETRY_DISABLED: '1' }

/**
 * Installs the packages of the example when they are missing or older than its lock file, and puts today's Symphony
 * among them.
 *
 * @param {string} addon Path of the addon.
 */
export async function ensureApplication(addon) {
  const wanted = contentHash(lock)
  if (!existsSync(next) || !isStamped('example', wanted)) {
    await step('npm packages of the example', () => npm(['ci', '--no-audit', '--no-fund'], { cwd: example }))
    stamp('example', wanted)
  }
  installSymphony(addon)
}

/**
 * What `npm install @leadmap/symphony` would leave: the files that npm packs, and the addon in the package of this
 * platform. No link into this repository, which a bundler would see through. (`npm pack` itself is tested elsewhere, and
 * takes its time over an addon with debug information.)
 */
export function installSymphony(addon, scope = inExample('node_modules', '@leadmap')) {
  rmSync(scope, { recursive: true, force: true })
  copyPackage(join(scope, 'symphony'))
  copyPlatform(addon, join(scope, `symphony-${platformOf(addon)}`))
}

/**
 * `next build`, unless that build is there already.
 *
 * @param {{ folder?: string, standalone?: boolean, bundler?: 'turbopack' | 'webpack' }} [options] `folder`: the build's,
 *   `.next` by default.
 */
export async function ensureBuild({ folder = '.next', standalone = false, bundler = 'turbopack' } = {}) {
  const name = `example-build-${folder}`
  const inputs = ['dist', 'package.json', ...lock, ...sources.map((path) => `examples/nextjs/${path}`)]
  const wanted = `${standalone} ${bundler} ${contentHash(inputs)}`
  if (existsSync(inExample(folder, 'BUILD_ID')) && isStamped(name, wanted)) return
  rmSync(inExample(folder), { recursive: true, force: true })
  const env = {
    ...quiet,
    NODE_ENV: undefined,
    NEXT_BUILD_FOLDER: folder,
    NEXT_BUILD_OUTPUT: standalone ? 'standalone' : undefined,
  }
  const title = `next build (${bundler}${standalone ? ', standalone' : ''})`
  await step(title, () => runNode(next, ['build', `--${bundler}`], { cwd: example, env, timeLimit: 300_000 }))
  stamp(name, wanted)
}
