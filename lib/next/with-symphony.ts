/** What the build of Next.js must know about a package with a binary. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'

const PACKAGE = '@leadmap/symphony'

const PLATFORMS = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
]

/** The keys that are changed. */
interface Changed {
  serverExternalPackages?: string[]
  outputFileTracingIncludes?: Record<string, string[]>
}

/**
 * Prepares a Next.js configuration for the package: it stays outside the bundle, and its binary is included in the
 * deployment (`.next`, `output: 'standalone'`, Vercel). Your own entries are kept.
 *
 * Takes whatever `next.config` may export: an object, a promise of one, or a function that returns one.
 *
 * @example
 * // next.config.ts
 * import { withSymphony } from '@leadmap/symphony/next'
 * export default withSymphony({ output: 'standalone' })
 */
export function withSymphony<Given extends unknown[], Config extends object>(
  config: (...given: Given) => Config | Promise<Config>,
): (...given: Given) => Promise<Config>
export function withSymphony<Config extends object>(config: Promise<Config>): Promise<Config>
export function withSymphony<Config extends object>(config?: Config): Config & Changed
export function withSymphony(config: unknown = {}): unknown {
  if (typeof config === 'function') return async (...given: unknown[]) => extended(await config(...given))
  if (config instanceof Promise) return config.then(extended)
  return extended(config as object)
}

function extended<Config extends object>(config: Config): Config & Changed {
  const { serverExternalPackages = [], outputFileTracingIncludes = {} }: Changed = config
  const files = binaries(process.cwd())
  const includes = {
    ...outputFileTracingIncludes,
    [EVERY_ROUTE]: merged(outputFileTracingIncludes[EVERY_ROUTE], files),
  }
  return {
    ...config,
    serverExternalPackages: merged(serverExternalPackages, [PACKAGE]),
    outputFileTracingIncludes: files.length === 0 ? outputFileTracingIncludes : includes,
  }
}

const EVERY_ROUTE = '/**/*'

function merged(own: string[] | undefined, more: string[]): string[] {
  return [...new Set([...(own ?? []), ...more])]
}

/**
 * The binaries that are installed, as paths below `from`: beside the package, where npm and yarn put them and pnpm its
 * links, and wherever the package finds them. Tracing finds them as well; this is for builds in which it fails.
 */
function binaries(from: string): string[] {
  const home = packageFolder(from)
  if (home === undefined) return []
  const beside = PLATFORMS.map((platform) => join(dirname(home), `symphony-${platform}`))
  const found = PLATFORMS.map((platform) => resolved(`${PACKAGE}-${platform}`, home))
  const folders = [home, ...beside, ...found].filter((it) => it !== undefined)
  return [...new Set(folders)].filter(hasBinary).map((folder) => `${toGlob(relative(from, folder))}/*.node`)
}

function packageFolder(from: string): string | undefined {
  const folder = resolved(PACKAGE, from)
  return folder === undefined ? undefined : realpathSync(folder)
}

/** The folder of a package, as seen from another folder. */
function resolved(name: string, from: string): string | undefined {
  try {
    return dirname(createRequire(join(from, 'noop.js')).resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

function hasBinary(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.node'))
}

function toGlob(path: string): string {
  const posix = path.split(sep).join('/')
  return posix.startsWith('..') ? posix : `./${posix}`.replace(/\/$/, '')
}
