/** A new application of Next.js, as create-next-app makes it, with the files of the documents. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installSymphony } from '../example/application.mjs'
import { inExample } from '../example/paths.mjs'
import { readFiles } from '../readme.mjs'
import { at } from '../setup/paths.mjs'
import { runNode } from '../setup/process.mjs'
import { step } from '../setup/step.mjs'
import { servers } from './servers.mjs'

/** The defaults, less what would have to be downloaded. What this machine's user prefers does not count. */
const LIKE = ['--ts', '--app', '--no-src-dir', '--cache-components', '--no-react-compiler', '--import-alias=@/*']
const WITHOUT = ['--empty', '--no-tailwind', '--no-eslint', '--skip-install', '--disable-git']

/** Where it is, for each bundler. @param {string} bundler */
export const newApplication = (bundler) => at('target', 'test', `next-${bundler}`)

/**
 * Makes and builds it.
 *
 * @param {string} addon Path of the addon.
 * @param {'turbopack' | 'webpack'} bundler
 */
export async function buildNewApplication(addon, bundler) {
  const home = newApplication(bundler)
  await step(`a new application, next build (${bundler})`, async () => {
    rmSync(home, { recursive: true, force: true })
    const create = join(servers, 'node_modules', 'create-next-app', 'dist', 'index.js')
    await runNode(create, [home, '--yes', ...LIKE, ...WITHOUT], { cwd: at('target') })
    cpSync(inExample('node_modules'), join(home, 'node_modules'), { recursive: true })
    installSymphony(addon, join(home, 'node_modules', '@leadmap'))
    followDocuments(home)
    const next = join(home, 'node_modules', 'next', 'dist', 'bin', 'next')
    const env = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined }
    await runNode(next, ['build', `--${bundler}`], { cwd: home, env, timeLimit: 300_000 })
  })
}

/** Writes the files of the README, and those of docs/nextjs.md that belong to an application. @param {string} home */
function followDocuments(home) {
  const written = readFileSync(join(home, 'next.config.ts'), 'utf8')
  const [, own] = /^const nextConfig: NextConfig = \{\n(.*?)^\};$/ms.exec(written) ?? []
  if (!own?.includes('cacheComponents: true'))
    throw new Error(`create-next-app writes another next.config.ts:\n${written}`)
  const files = [
    ...readFiles('docs/nextjs.md').filter(({ name }) => name.startsWith('app/')),
    ...readFiles('README.md'),
  ]
  for (const { name, text } of files) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), name === 'next.config.ts' ? wrapping(own, text) : text)
  }
  if (!existsSync(join(home, 'app', 'queue', 'page.tsx'))) throw new Error('docs/nextjs.md has lost its page')
}

/** The configuration of the README around what the application's has. @param {string} own @param {string} text */
function wrapping(own, text) {
  const [before, after] = text.split('  // What your configuration has stays.\n')
  if (after === undefined) throw new Error(`the README does not say where the configuration stays:\n${text}`)
  return before + own + after
}
