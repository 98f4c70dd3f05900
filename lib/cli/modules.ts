/** Modules of the application: its configuration and its handlers, in JavaScript or TypeScript. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EXIT, Exit } from './exit.js'

/** What a module exports. */
export type Exports = Record<string, unknown>

const TYPESCRIPT = ['.ts', '.mts', '.cts', '.tsx']

/** The file of this name in the working directory, whatever its kind. */
export function findModule(name: string): string | undefined {
  const extensions = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json']
  return extensions.map((extension) => resolve(name + extension)).find(existsSync)
}

/** Whether Node may need help with it. */
export function isTypeScript(path: string): boolean {
  return TYPESCRIPT.includes(extname(path))
}

/**
 * Imports a module of the application by an installed tsx, else by jiti, else by Node itself. Only the first two know
 * the aliases of `tsconfig.json`, which is why they come first.
 *
 * @throws Exit that says what is missing.
 */
export async function importModule(path: string): Promise<Exports> {
  const importing = (await withTsx()) ?? (await withJiti()) ?? plainImport
  try {
    return unwrapped(await importing(path))
  } catch (error) {
    throw explained(path, error)
  }
}

type Import = (path: string) => Promise<Exports>

const plainImport: Import = (path) => import(pathToFileURL(path).href)

const fromApplication = (): NodeJS.Require => createRequire(resolve('package.json'))

/** The file that `import` would find for an entry of an installed package; `require` finds another one. */
function installed(name: string, entry = '.'): string | undefined {
  try {
    const manifest = fromApplication().resolve(`${name}/package.json`)
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports: Record<string, Target> }
    const file = fileOf(exports[entry])
    return file === undefined ? undefined : resolve(dirname(manifest), file)
  } catch {
    return undefined
  }
}

/** What a package exports under a condition. */
type Target = string | { import?: Target; default?: Target } | undefined

function fileOf(target: Target): string | undefined {
  return typeof target === 'object' ? fileOf(target.import ?? target.default) : target
}

let tsx: Promise<Import> | undefined

function withTsx(): Promise<Import> | undefined {
  const entry = installed('tsx', './esm/api')
  if (entry === undefined) return undefined
  tsx ??= (async () => {
    const { register } = (await plainImport(entry)) as { register: () => void }
    register()
    // Where the application is CommonJS, its TypeScript is required.
    ;(fromApplication()('tsx/cjs/api') as { register: () => void }).register()
    return plainImport
  })()
  return tsx
}

function withJiti(): Promise<Import> | undefined {
  const entry = installed('jiti')
  if (entry === undefined) return undefined
  return plainImport(entry).then((module) => {
    const { createJiti } = module as { createJiti: (from: string, options: object) => { import: Import } }
    const jiti = createJiti(resolve('package.json'), { alias: aliases() })
    return (path) => jiti.import(path)
  })
}

/** The aliases of `tsconfig.json` that end with a star, such as `@/*`. */
function aliases(): Record<string, string> {
  if (!existsSync('tsconfig.json')) return {}
  // Comments and trailing commas are allowed there; a string that holds `//` is a URL, after a colon.
  const text = readFileSync('tsconfig.json', 'utf8').replaceAll(
    /\/\*[\s\S]*?\*\/(?!")|(?<![:"@])\/\/.*$|,(?=\s*[}\]])/gm,
    '',
  )
  try {
    const { compilerOptions = {} } = JSON.parse(text) as {
      compilerOptions?: { baseUrl?: string; paths?: Record<string, string[]> }
    }
    const { baseUrl = '.', paths = {} } = compilerOptions
    return Object.fromEntries(
      Object.entries(paths)
        .filter(([name]) => name.endsWith('/*'))
        .map(([name, [target = '']]) => [name.slice(0, -2), resolve(baseUrl, target.replace(/\*$/, ''))]),
    )
  } catch {
    return {}
  }
}

/** CommonJS with a transpiled `export default` arrives wrapped. */
function unwrapped(module: Exports): Exports {
  const inner = module.default as Exports | undefined
  return inner?.__esModule === true || module['module.exports'] !== undefined ? { ...inner } : module
}

/** Other TypeScript than types, or imports that only a build resolves. */
const NEEDS_HELP = ['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'ERR_MODULE_NOT_FOUND']

function explained(path: string, error: unknown): Error {
  const { code = '', message = String(error) } = Object(error) as { code?: string; message?: string }
  if (/server-only|Client Component/.test(message)) {
    return exit(path, `${message}. Run it with NODE_OPTIONS=--conditions=react-server`, error)
  }
  const isHelpless = installed('tsx') === undefined && installed('jiti') === undefined
  if (isHelpless && (NEEDS_HELP.includes(code) || (isTypeScript(path) && error instanceof SyntaxError))) {
    const remedy =
      'Install tsx or jiti (npm install --save-dev tsx): TypeScript and the aliases of tsconfig.json work then'
    return exit(path, `${message.split('\n')[0]}. ${remedy}`, error)
  }
  return exit(path, message, error)
}

function exit(path: string, problem: string, cause: unknown): Error {
  const error = new Exit(EXIT.unusable, `${path} cannot be loaded: ${problem}`)
  error.cause = cause
  return error
}
