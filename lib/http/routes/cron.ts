/** What the two cron routes have in common: who may call, and how. */

import { defaultSymphony } from '../../default/instance.js'
import { type AnySymphony, partsOf, type Symphony } from '../../symphony.js'
import { type Authorize, guard, mustBeAuthorize } from '../authorization/guard.js'
import { mustBeAllowed } from '../authorization/permissions.js'
import { Answer } from '../responses/answer.js'
import { executionIdOf, once } from './execution.js'
import { answering, methodNotAllowed, mustBeRequest, type RouteHandler } from './handler.js'

/** Options of both cron routes. */
export interface CronRouteOptions {
  /** Whose messages or schedules; by default those of the default instance. */
  symphony?: AnySymphony
  /** Admits other callers, in addition to those who send `Authorization: Bearer $CRON_SECRET`. */
  authorize?: Authorize
  /**
   * Seconds after which the platform kills the function: the same number as `export const maxDuration` in the route
   * file. The work ends a tenth of it earlier, at least 1 s and at most 10 s.
   */
  maxDuration?: number
}

/** The handlers of a cron route. */
export interface CronRoute {
  /** For Vercel Cron. */
  GET: RouteHandler
  /** For any other trigger; its body may name the execution: `{ "executionId": "…" }`. */
  POST: RouteHandler
  /** Both, by the request's method, for servers other than Next.js. */
  handle: RouteHandler
}

/** The work of a cron route. */
export interface CronWork {
  /** The name under which its executions are recorded. */
  name: string
  /** The maximum time, in milliseconds. */
  timeLimit: number
  /** Does the work; its result becomes the answer, with `success`. */
  run(symphony: Symphony): Promise<object>
}

const REMEDY =
  'Set CRON_SECRET in the environment, and send it as `Authorization: Bearer <secret>` (Vercel Cron does), or pass ' +
  '`authorize` to the route'

/** A cron route that does its work for authorized callers. */
export function cronRoute({ authorize, symphony }: CronRouteOptions, work: CronWork): CronRoute {
  mustBeAuthorize(authorize)
  let warned = false
  const handle: RouteHandler = (request) => {
    mustBeRequest(request)
    const queue = symphony ?? defaultSymphony()
    if (!warned && authorize === undefined && isUnusable()) {
      warned = true
      queue.getLogger().warn(`the cron route "${work.name}" answers 401 to everyone. ${REMEDY}`)
    }
    return answering(queue, async () => {
      const grant = await guard(request, { authorize, cronSecret: true, effects: true, remedy: REMEDY })
      if (grant instanceof Response) return grant
      mustBeAllowed(grant, 'consume')
      if (request.method !== 'GET' && request.method !== 'POST') throw methodNotAllowed(request.method, ['GET', 'POST'])
      return answerOnce(queue, await executionIdOf(request), work)
    })
  }
  return { GET: handle, POST: handle, handle }
}

/** In production nobody is told in the answer. Judged at a request, because a build has no secrets. */
function isUnusable(): boolean {
  return !process.env.CRON_SECRET && process.env.NODE_ENV === 'production'
}

async function answerOnce(
  symphony: Symphony,
  executionId: string | undefined,
  { name, timeLimit, run }: CronWork,
): Promise<Answer> {
  const { core } = partsOf(symphony)
  const result = await once(core, name, executionId, timeLimit, () => run(symphony))
  if (result === undefined) return new Answer({ success: true, duplicate: true, executionId })
  return new Answer({ success: true, executionId, ...result })
}
