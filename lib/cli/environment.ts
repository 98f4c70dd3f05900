/** The environment of a command: the `.env` files of the application, and what the options say, as variables. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

/** Options that say where the queue is. */
export interface PlaceOptions {
  config?: string
  databaseUrl?: string
  schema?: string
  env?: string
}

/** Where variables come from that this process was not started with: a file, or an option. */
export type Sources = Map<string, string>

/** Sets the variables that options stand for, then those of `.env` files that are not set yet. */
export async function prepareEnvironment(options: PlaceOptions): Promise<Sources> {
  const sources: Sources = new Map()
  const set = (option: string, name: string, value: string | undefined): void => {
    if (value === undefined) return
    process.env[name] = value
    sources.set(name, option)
  }
  set('--env', 'SYMPHONY_ENV', options.env)
  await loadFiles(sources)
  set('--schema', 'SYMPHONY_DATABASE_SCHEMA', options.schema)
  set('--database-url', 'SYMPHONY_DATABASE_URL', options.databaseUrl)
  // A direct URL from elsewhere would lead migrations to another database.
  set('--database-url', 'SYMPHONY_DIRECT_URL', options.databaseUrl)
  return sources
}

/** The environment of the configuration: what its sections are named after. */
export function environmentName(): string {
  return process.env.SYMPHONY_ENV || process.env.NODE_ENV || 'development'
}

/** As Next.js loads them, by its own package where the application has it. */
async function loadFiles(sources: Sources): Promise<void> {
  const before = new Set(Object.keys(process.env))
  const note = (file: string): void => {
    for (const name of Object.keys(process.env)) if (!before.has(name) && !sources.has(name)) sources.set(name, file)
  }
  const directory = process.cwd()
  const mode = environmentName()
  const next = nextEnv(directory)
  if (next !== undefined) {
    const silent = { info: () => undefined, error: () => undefined }
    const { loadedEnvFiles } = next.loadEnvConfig(directory, mode !== 'production', silent)
    for (const { path, env } of loadedEnvFiles) {
      for (const name of Object.keys(env)) if (!before.has(name) && !sources.has(name)) sources.set(name, path)
    }
    return
  }
  // Of two files that set a variable, the first one wins: none overwrites what is set.
  for (const file of [`.env.${mode}.local`, ...(mode === 'test' ? [] : ['.env.local']), `.env.${mode}`, '.env']) {
    if (!existsSync(resolve(directory, file))) continue
    process.loadEnvFile?.(resolve(directory, file))
    note(file)
  }
}

interface NextEnv {
  loadEnvConfig(
    directory: string,
    development: boolean,
    log: object,
  ): { loadedEnvFiles: Array<{ path: string; env: Record<string, string> }> }
}

function nextEnv(directory: string): NextEnv | undefined {
  try {
    return createRequire(resolve(directory, 'package.json'))('@next/env') as NextEnv
  } catch {
    return undefined
  }
}
