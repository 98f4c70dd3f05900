/**
 * Packs the package and the platform package of this machine as a release does, has publint and arethetypeswrong judge
 * them, installs both into an empty project and runs the quick start there: the README's, as ES module, as CommonJS,
 * against the typings.
 *
 * `node scripts/pack-check.mjs`, after a build. Uses the server in SYMPHONY_DATABASE_URL, else an embedded one.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readQuickStart } from './readme.mjs'
import { startTestPostgres } from './servers/postgres.mjs'
import { findAddon } from './setup/addon.mjs'
import { npm } from './setup/dependencies.mjs'
import { atEnd } from './setup/ending.mjs'
import { withoutConfiguration } from './setup/environment.mjs'
import { at, root } from './setup/paths.mjs'
import { run, runNode } from './setup/process.mjs'
import { main, step } from './setup/step.mjs'
import { packRelease } from './setup/tarballs.mjs'

const inRoot = { cwd: root }
const ATTW = '@arethetypeswrong/cli/dist/index.js'
const stage = mkdtempSync(join(tmpdir(), 'symphony-pack-'))
const app = join(stage, 'app')
const installed = join(app, 'node_modules/@leadmap/symphony')

/** What and where, of the run that fails. */
const WARNING =
  /^\[symphony\] a message failed and will run again .*\nError: the mail server is busy\n(?: {4}at .*\n)+/m
atEnd(() => rmSync(stage, { recursive: true, force: true }))

await main(async () => {
  const addon = process.env.NAPI_RS_NATIVE_LIBRARY_PATH ?? findAddon(root)
  if (!addon) throw new Error('No addon to pack: run `npm run build` first.')
  const url = process.env.SYMPHONY_DATABASE_URL || (await embeddedPostgres())

  const tarballs = await step('pack', () => packRelease(addon, stage))
  await step('publint', () => runNode(at('node_modules/publint/src/cli.js'), ['--strict', tarballs[0]], inRoot))
  await step('are the types wrong?', () => runNode(at('node_modules', ATTW), [tarballs[0], '--no-emoji'], inRoot))
  await step('install', () => install(tarballs))
  await step('files that package.json names', async () => expectFiles())
  await step('quick start of the README', () => followReadme(url))
  await step('quick start, ES module', () => expectQuickStart('quick-start.mjs', url, 'esm'))
  await step('quick start, CommonJS', () => expectQuickStart('quick-start.cjs', url, 'cjs'))
  for (const mode of ['nodenext', 'bundler', 'node10']) await step(`typings, ${mode}`, () => checkTypes(mode))
})

async function embeddedPostgres() {
  const postgres = await step('embedded Postgres', startTestPostgres)
  atEnd(postgres.stop)
  return postgres.url
}

async function install(tarballs) {
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }')
  await npm(['install', '--offline', '--no-audit', '--no-fund', ...tarballs], { cwd: app })
  for (const name of readdirSync(at('scripts/pack-check')))
    copyFileSync(at('scripts/pack-check', name), join(app, name))
}

/** What an entry names and the build has left out is missed only by those who need it. */
function expectFiles() {
  const { exports, main, module, types } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const named = JSON.stringify([exports, main, module, types]).matchAll(/"(\.\/[^"]+\.\w+)"/g)
  const missing = [...named].map(([, path = '']) => path).filter((path) => !existsSync(join(installed, path)))
  if (missing.length > 0) throw new Error(`package.json names files that are not in the package: ${missing.join(', ')}`)
}

/** Does what the README tells its reader to do. */
async function followReadme(url) {
  const { files, commands, output } = readQuickStart()
  for (const { name, text } of files) writeFileSync(join(app, name), text)
  let printed = ''
  for (const command of commands) {
    const [program, argument] = command.split(' ')
    if (program === 'node') printed += await runInApp(argument, url)
    else if (program === 'sleep') await sleep(Number(argument) * 1000)
    else throw new Error(`the README says \`${command}\`, and only node and sleep are known here`)
  }
  if (!WARNING.test(printed)) throw new Error(`the failed run of the quick start showed nothing:\n${printed}`)
  expectOutput('the quick start of the README', printed.replace(WARNING, ''), output)
}

async function expectQuickStart(file, url, name) {
  const expected = `to ${name}@example.com\nqueued, 1 handled, function\n`
  expectOutput(file, await runInApp(file, url), expected)
}

function runInApp(file, url) {
  const env = { ...withoutConfiguration(), SYMPHONY_DATABASE_URL: url, NAPI_RS_NATIVE_LIBRARY_PATH: undefined }
  return run(process.execPath, [file], { cwd: app, env })
}

function expectOutput(what, printed, expected) {
  if (printed !== expected) throw new Error(`${what} printed\n${printed}and not\n${expected}`)
}

/** Checks the quick start, and the installed typings themselves, as a project with that module resolution does. */
function checkTypes(mode) {
  const module = mode === 'nodenext' ? mode : 'esnext'
  const config = {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: 'es2022',
      module,
      moduleResolution: mode,
      // TypeScript's own libraries are its business; all other typings are checked.
      skipDefaultLibCheck: true,
      // TypeScript 6 warns of node10, which older projects still have.
      ignoreDeprecations: '6.0',
      // No `types`: those of Node.js are asked for by the package, since TypeScript 6 looks for none by itself.
      typeRoots: [at('node_modules/@types')],
    },
    files: ['quick-start.ts'],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config))
  return runNode(at('node_modules/typescript/bin/tsc'), ['--project', app], { cwd: app })
}
