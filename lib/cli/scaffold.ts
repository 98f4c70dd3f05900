/** The files that an application begins with. Pure: what is there comes in, what is to be written comes out. */

/** What is known of the application. */
export interface Application {
  /** Whether it is written in TypeScript. */
  typescript: boolean
  /** Its folder of routes, `app` or `src/app`; nothing, if it is not one of Next.js. */
  routes: string | undefined
  /** Its `next.config.*`, if there is one. */
  nextConfig: string | undefined
  /** The text of a file; nothing, if there is none. */
  read(name: string): string | undefined
}

/** One file that is written. */
export interface Change {
  name: string
  before: string | undefined
  after: string
}

/** What is to be written: files that are there stay, but for lines that are added; and what is left to the person. */
export function scaffold(application: Application, secret: string): { changes: Change[]; remarks: string[] } {
  const { typescript, routes, nextConfig, read } = application
  const extension = typescript ? 'ts' : 'mjs'
  const remarks: string[] = []
  const created = [
    [`symphony.config.${extension}`, CONFIG],
    [`symphony.handlers.${extension}`, handlers(extension)],
    ...(routes === undefined ? [] : routeFiles(routes, typescript)),
  ].filter(([name = '']) => read(name) === undefined)
  const changed = [
    ['.env.local', withVariables(read('.env.local'), secret)],
    ...(routes === undefined ? [] : [['vercel.json', withCrons(read('vercel.json'))]]),
  ]
  if (nextConfig !== undefined) {
    const text = withPlugin(read(nextConfig) ?? '')
    if (text === undefined)
      remarks.push(`wrap the configuration in ${nextConfig}: export default withSymphony(nextConfig)`)
    else changed.push([nextConfig, text])
  }
  const changes = [...created, ...changed].map(([name = '', after = '']) => ({ name, before: read(name), after }))
  return { changes: changes.filter(({ before, after }) => before !== after), remarks }
}

const CONFIG = `import { defineConfig } from '@leadmap/symphony/config'

export default defineConfig({
  retry: { default: { maxRetries: 3, delay: '5s' } },
})
`

function handlers(extension: string): string {
  const config = extension === 'ts' ? './symphony.config' : `./symphony.config.${extension}`
  return `import { registerHandler, setConfig } from '@leadmap/symphony'
import config from '${config}'

setConfig(config)

registerHandler('WelcomeMail', async (message, context) => {
  console.log('a mail to', message.payload, 'run', context.attempt)
})
`
}

function routeFiles(folder: string, typescript: boolean): string[][] {
  const extension = typescript ? 'ts' : 'js'
  const up = '../'.repeat(folder.split('/').length + 3)
  return [
    [
      `${folder}/api/cron/symphony-worker/route.${extension}`,
      `import { createWorkerRoute } from '@leadmap/symphony/next'
import '${up}symphony.handlers${typescript ? '' : '.mjs'}'

export const maxDuration = 60

export const { GET, POST } = createWorkerRoute({ maxDuration: 60 })
`,
    ],
    [
      `${folder}/api/cron/symphony-scheduler/route.${extension}`,
      `import { createSchedulerRoute } from '@leadmap/symphony/next'
import '${up}symphony.handlers${typescript ? '' : '.mjs'}'

export const maxDuration = 60

export const { GET, POST } = createSchedulerRoute({ maxDuration: 60 })
`,
    ],
  ]
}

function withVariables(before = '', secret: string): string {
  const lines = [
    ['SYMPHONY_DATABASE_URL', 'postgres://postgres:postgres@localhost:5432/postgres'],
    ['CRON_SECRET', secret],
  ]
    .filter(([name]) => !new RegExp(`^(?:export )?${name}=`, 'm').test(before))
    .map(([name, value]) => `${name}=${value}\n`)
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  return lines.length === 0 ? before : before + gap + lines.join('')
}

const CRONS = ['/api/cron/symphony-worker', '/api/cron/symphony-scheduler']

function withCrons(before = '{}\n'): string {
  const settings = JSON.parse(before) as { crons?: Array<{ path: string }> }
  const missing = CRONS.filter((path) => !settings.crons?.some((cron) => cron.path === path))
  if (missing.length === 0) return before
  const crons = [...(settings.crons ?? []), ...missing.map((path) => ({ path, schedule: '* * * * *' }))]
  return `${JSON.stringify({ ...settings, crons }, null, 2)}\n`
}

/** Wraps the default export if it is a name; nothing, if it is anything else. */
function withPlugin(before: string): string | undefined {
  if (before.includes('withSymphony')) return before
  const isWrapped = /^export default (\w+)(;?)$/m
  if (!isWrapped.test(before)) return undefined
  const semicolon = isWrapped.exec(before)?.[2] ?? ''
  const wrapped = before.replace(isWrapped, 'export default withSymphony($1)$2')
  const quote = before.includes("'") ? "'" : '"'
  return `import { withSymphony } from ${quote}@leadmap/symphony/next${quote}${semicolon}\n${wrapped}`
}

/** The lines that differ, with a sign, and one line around them. Values of variables are hidden: they are secrets. */
export function diff({ name, before = '', after }: Change): string[] {
  const [old, fresh] = [before, after].map((text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n')))
  const lines = merged(old as string[], fresh as string[])
  const isNear = (index: number): boolean => [-1, 0, 1].some((step) => /^[+-]/.test(lines[index + step] ?? ''))
  const shown = lines.filter((_, index) => isNear(index))
  return name.startsWith('.env') ? shown.map((line) => line.replace(/=.+$/, '=…')) : shown
}

/** Both texts in one: `+` only in the new one, `-` only in the old one, and the longest sequence that both have. */
function merged(old: readonly string[], fresh: readonly string[]): string[] {
  // common[i][j]: how many lines the rests from i and from j have in common.
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      const row = common[i] as number[]
      row[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < fresh.length) {
    const isSame = i < old.length && old[i] === fresh[j]
    if (isSame) lines.push(`  ${old[i++]}`)
    else if (j >= fresh.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${old[i++]}`)
    else lines.push(`+ ${fresh[j]}`)
    if (isSame || lines.at(-1)?.startsWith('+')) j += 1
  }
  return lines
}
