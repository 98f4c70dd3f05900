/** `symphony dev`: calls the application's cron routes, as the hosting platform would every minute. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { acting } from '../acting.js'
import { prepareEnvironment } from '../environment.js'
import { EXIT, Exit } from '../exit.js'
import { several } from '../format.js'
import type { Output } from '../output.js'
import { type CronRoute, findCronRoutes } from '../routes.js'
import { collected, duration } from '../values.js'
import { clock } from '../working.js'

interface DevOptions {
  url?: string
  every: number
  path?: string[]
}

/** Adds the command. */
export function addDev(program: Command): void {
  program
    .command('dev')
    .summary('call the cron routes of your application every 2 s')
    .description('Calls the cron routes of your application, and prints what they did: beside `next dev`.')
    .option('--url <url>', 'where it listens; http://localhost:3000 by default, or $PORT')
    .option('--every <duration>', 'the pause between two rounds', duration, 2_000)
    .option('--path <path>', 'a route that was not found by itself; several times', collected)
    .action(
      acting<[], DevOptions>(async ({ options, out }) => {
        await prepareEnvironment(options)
        const routes = (options.path ?? []).map((path): CronRoute => ({ kind: 'worker', path }))
        const all = [...findCronRoutes(), ...routes]
        if (all.length === 0) throw new Exit(EXIT.notFound, NO_ROUTES)
        const url = (options.url ?? `http://localhost:${process.env.PORT || 3000}`).replace(/\/$/, '')
        const ended = new AbortController()
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
        out.say(out.shade.dim(`${url} · ${all.map(({ path }) => path).join(' · ')} · Ctrl-C stops`))
        const told = new Map<string, string>()
        while (!ended.signal.aborted) {
          for (const route of all) await call(url, route, told, ended.signal, out)
          await sleep(options.every, undefined, { signal: ended.signal }).catch(() => undefined)
        }
      }),
    )
}

const NO_ROUTES =
  'no cron route found below app/ or pages/: create one with createWorkerRoute(), or name its path with --path'

/** Calls one route. What goes wrong is said once, until it goes right or wrong in another way. */
async function call(
  url: string,
  { path, kind }: CronRoute,
  told: Map<string, string>,
  signal: AbortSignal,
  out: Output,
) {
  const { dim, red, green } = out.paint
  const problem = await answer(url, path, signal).then(
    (result) => {
      if (told.delete(path)) out.say(`${path} answers`)
      if (out.json === 'lines') out.data({ path, at: new Date(), ...result })
      const done = summary(result)
      if (out.json === undefined && done !== '') out.print(`${dim(clock())} ${green('✓')} ${kind} ${done}`)
      return undefined
    },
    (error: Error) => error.message,
  )
  if (problem === undefined || signal.aborted || told.get(path) === problem) return
  told.set(path, problem)
  out.say(`${dim(clock())} ${red('✗')} ${path} ${problem}`)
}

type Result = Record<string, unknown>

async function answer(url: string, path: string, signal: AbortSignal): Promise<Result> {
  const headers = { authorization: `Bearer ${process.env.CRON_SECRET ?? ''}` }
  const response = await fetch(url + path, { headers, signal }).catch(() => {
    throw new Error(`does not answer at ${url}: start the application; trying again`)
  })
  const text = await response.text()
  if (response.status === 401)
    throw new Error('answers 401: CRON_SECRET has to be the same here and there (.env.local)')
  if (!response.ok) throw new Error(`answers ${response.status}: ${text.slice(0, 300)}`)
  try {
    return JSON.parse(text) as Result
  } catch {
    throw new Error(`answers with something else than JSON: ${text.slice(0, 100)}`)
  }
}

/** What happened, of what a worker or scheduler route answers; nothing, if nothing did. */
function summary(result: Result): string {
  const counts: Array<[key: string, what: string]> = [
    ['succeeded', 'handled'],
    ['retried', 'to be retried'],
    ['deadLettered', 'dead'],
    ['snoozed', 'snoozed'],
    ['discarded', 'discarded'],
    ['dispatched', 'dispatched'],
    ['failed', 'failed'],
  ]
  const happened = counts.filter(([key]) => Number(result[key]) > 0).map(([key, what]) => `${result[key]} ${what}`)
  const left = Number(result.queueDepth) > 0 ? ` · ${several(Number(result.queueDepth), 'message')} still due` : ''
  return happened.length === 0 ? '' : `${happened.join(', ')}${left}`
}
