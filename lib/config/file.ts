/** The configuration file: `symphony.config.*` in the working directory. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '../base/errors.js'
import type { SymphonyConfig } from './model.js'

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json']

/** The path of the configuration file, if there is one in `directory`. */
export function findConfigFile(directory: string = process.cwd()): string | undefined {
  return EXTENSIONS.map((extension) => resolve(directory, `symphony.config${extension}`)).find(existsSync)
}

/**
 * The configuration that a file exports as `default`, `symphonyConfig` or `config`.
 *
 * @throws ConfigurationError if it is missing, cannot be loaded, or exports no configuration.
 */
export async function readConfigFile(path: string): Promise<SymphonyConfig> {
  if (!existsSync(path)) throw new ConfigurationError(`the configuration file ${path} does not exist`)
  const exported = extname(path) === '.json' ? await readJson(path) : configOf(await load(path))
  if (typeof exported === 'object' && exported !== null && !Array.isArray(exported)) return exported as SymphonyConfig
  throw new ConfigurationError(
    `${path} exports no configuration: it needs an object as default export, or as \`symphonyConfig\` or \`config\``,
  )
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new ConfigurationError(`${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** CommonJS with a transpiled `export default` arrives wrapped twice. */
function configOf(module: Record<string, unknown>): unknown {
  const inner = module.default as Record<string, unknown> | undefined
  return inner?.default ?? inner?.symphonyConfig ?? inner ?? module.symphonyConfig ?? module.config
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    // A path of the application, known only at run time: no bundler should look for it.
    return await import(
      /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ pathToFileURL(path).href
    )
  } catch (cause) {
    throw unloadable(path, cause)
  }
}

const TYPESCRIPT = new Set(['.ts', '.mts'])

/** What a Node without type stripping, or with it but fed other TypeScript than types, says. */
const NO_TYPESCRIPT = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
])

function unloadable(path: string, cause: unknown): ConfigurationError {
  const { code, message } = cause as { code?: string; message?: string }
  if (TYPESCRIPT.has(extname(path)) && (NO_TYPESCRIPT.has(code ?? '') || cause instanceof SyntaxError)) {
    return new ConfigurationError(
      `this Node (${process.version}) cannot import ${path}: import it in your code, which your build compiles, and ` +
        'call `setConfig(config)`; or name it symphony.config.mjs',
      { cause },
    )
  }
  return new ConfigurationError(`${path} cannot be loaded: ${message ?? String(cause)}`, { cause })
}
