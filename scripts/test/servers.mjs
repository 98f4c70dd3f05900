/** The servers of `__test__/e2e/servers/`, as applications that have installed the package and a framework. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installSymphony } from '../example/application.mjs'
import { at } from '../setup/paths.mjs'
import { ensureLocked } from './locked.mjs'

const sources = '__test__/e2e/servers'

/** Where they run. */
export const servers = at('target', 'test', 'servers')

/** Installs the frameworks when they are missing or older than the lock file, and puts today's Symphony among them. */
export async function ensureServers(addon) {
  mkdirSync(servers, { recursive: true })
  for (const file of readdirSync(at(sources))) cpSync(at(sources, file), join(servers, file))
  await compileNest()
  await ensureLocked('servers', sources, servers)
  installSymphony(addon, join(servers, 'node_modules', '@leadmap'))
}

/** For its decorators. */
async function compileNest() {
  const { default: ts } = await import('typescript')
  const text = readFileSync(at(sources, 'nest.ts'), 'utf8')
  const formats = { mjs: ts.ModuleKind.ESNext, cjs: ts.ModuleKind.CommonJS }
  for (const [extension, module] of Object.entries(formats)) {
    const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true }
    const compilerOptions = { module, target: ts.ScriptTarget.ES2022, ...decorators }
    writeFileSync(join(servers, `nest.${extension}`), ts.transpileModule(text, { compilerOptions }).outputText)
  }
}
