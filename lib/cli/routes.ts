/** The cron routes of a Next.js application, found in its sources. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A cron route. */
export interface CronRoute {
  kind: 'worker' | 'scheduler'
  /** As it is called: `/api/cron/symphony-worker`. */
  path: string
}

const FILE = /\.(?:[cm]?[jt]s|[jt]sx)$/

/** Routes made by `createWorkerRoute()` or `createSchedulerRoute()` below `app` and `pages`, in `src` or not. */
export function findCronRoutes(): CronRoute[] {
  const folders = ['app', 'src/app', 'pages', 'src/pages'].filter((folder) => existsSync(folder))
  const found = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => FILE.test(name))
      .flatMap((name) => routesOf(folder, name)),
  )
  return found.sort((one, other) => (one.path < other.path ? -1 : 1))
}

function routesOf(folder: string, name: string): CronRoute[] {
  const path = pathOf(folder, name.split(sep))
  if (path === undefined) return []
  const [, kind] = /\bcreate(Worker|Scheduler)Route\s*\(/.exec(readFileSync(join(folder, name), 'utf8')) ?? []
  return kind === undefined ? [] : [{ kind: kind === 'Worker' ? 'worker' : 'scheduler', path }]
}

/** Where Next.js serves a file; nothing, if it serves none, or one for many paths. */
function pathOf(folder: string, parts: readonly string[]): string | undefined {
  const file = (parts.at(-1) ?? '').replace(FILE, '')
  const isApp = folder.endsWith('app')
  const segments = parts.slice(0, -1).filter((part) => !/^\(.*\)$/.test(part))
  if (segments.some((part) => /^[_[@]/.test(part))) return undefined
  if (isApp) return file === 'route' ? `/${segments.join('/')}` : undefined
  return segments[0] === 'api' ? `/${[...segments, ...(file === 'index' ? [] : [file])].join('/')}` : undefined
}
