/** The queue that a command works on: environment, configuration, and the package, which nothing loads before. */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Logger } from '../base/logger.js'
import { environmentName, type PlaceOptions, prepareEnvironment, type Sources } from './environment.js'
import { EXIT, Exit } from './exit.js'
import { findModule, importModule, isTypeScript } from './modules.js'
import type { Output } from './output.js'

/** The public functions of the package. */
export type Library = Awaited<ReturnType<typeof load>>

/** A queue that is open. */
export interface Session {
  readonly library: Library
  /** The name of the environment, as the configuration knows it. */
  readonly environment: string
  /** Whether it is the one where mistakes hurt. */
  readonly isProduction: boolean
  /** The configuration file, if there is one. */
  readonly configFile: string | undefined
  /** Where variables come from. */
  readonly sources: Sources
}

/** Opens the queue and says which one it is. */
export async function openSession(options: PlaceOptions, out: Output): Promise<Session> {
  const sources = await prepareEnvironment(options)
  const library = await load()
  library.setLogger(stderrLogger(out))
  const configFile = await configure(library, options)
  const environment = environmentName()
  if (out.json === undefined) out.say(out.shade.dim(headLine(library, environment)))
  return { library, environment, isProduction: environment === 'production', configFile, sources }
}

/** Does the work with the queue open, and closes it. */
export async function withSession<T>(
  options: PlaceOptions,
  out: Output,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(options, out)
  try {
    return await work(session)
  } finally {
    await session.library.close()
  }
}

async function load() {
  const [index, admin, config, utils] = await Promise.all([
    import('../index.js'),
    import('../admin.js'),
    import('../config.js'),
    import('../utils.js'),
  ])
  return { ...index, ...admin, ...config, ...utils }
}

/** Lays the configuration file; returns its path. */
async function configure(library: Library, { config }: PlaceOptions): Promise<string | undefined> {
  const file = config === undefined ? findModule('symphony.config') : resolve(config)
  if (file === undefined) return undefined
  if (!isTypeScript(file)) {
    await library.loadConfig(file)
    return file
  }
  const module = await importModule(file)
  const exported = module.default ?? module.symphonyConfig ?? module.config
  if (typeof exported !== 'object' || exported === null) {
    throw new Exit(EXIT.unusable, `${file} exports no configuration: it needs an object as default export`)
  }
  library.setConfig(exported)
  return file
}

/** `acme · production · queue@db.example.com:6543`; never a password. */
function headLine(library: Library, environment: string): string {
  const { database } = library.getConfig()
  const schema = database.schema === 'symphony' || database.schema === undefined ? '' : ` · schema ${database.schema}`
  return `${projectName()} · ${environment} · ${placeOf(database.url)}${schema}`
}

function placeOf(url: string | undefined): string {
  if (url === undefined) return 'no database configured'
  if (!URL.canParse(url)) return 'database'
  const { hostname, port, pathname } = new URL(url)
  return `${pathname.slice(1) || 'postgres'}@${hostname || 'localhost'}:${port || 5432}`
}

function projectName(): string {
  try {
    return (JSON.parse(readFileSync('package.json', 'utf8')) as { name?: string }).name ?? basename(process.cwd())
  } catch {
    return basename(process.cwd())
  }
}

/** Log lines are talk. Errors in them show where they were thrown: their first frame, or all of them. */
function stderrLogger(out: Output): Logger {
  const line =
    (mark: string) =>
    (message: string, fields: object = {}): void => {
      const known = Object.entries(fields).filter(([, value]) => value !== undefined)
      const facts = known.map(([key, value]) => `${key}=${shown(value)}`)
      const stacks = known.flatMap(([, value]) => framesOf(value).slice(0, out.verbose ? undefined : 1))
      const text = [`${mark} ${message}${facts.length > 0 ? out.shade.dim(` ${facts.join(' ')}`) : ''}`, ...stacks]
      process.stderr.write(`${text.join('\n')}\n`)
    }
  const levels = ['debug', 'info', 'warn', 'error']
  return {
    debug: line('·'),
    info: line('·'),
    warn: line(out.shade.yellow('!')),
    error: line(out.shade.red('✗')),
    enabled: (level) => levels.indexOf(level) >= levels.indexOf(out.verbose ? 'info' : 'warn'),
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error || framesOf(value).length > 0) return JSON.stringify((value as Error).message)
  try {
    return JSON.stringify(value)
  } catch {
    return String(value)
  }
}

function framesOf(value: unknown): string[] {
  const { stack } = Object(value) as { stack?: unknown }
  return typeof stack === 'string' ? (stack.match(/^ +at .*$/gm) ?? []) : []
}
