/** Schedules: list, pause, resume, run now, delete. */
import type { Because } from '../../base/because.js'
import { SchedulerError } from '../../base/errors.js'
import { by } from '../authorization/permissions.js'
import { saidIn } from '../requests/body.js'
import { BECAUSE, cut, readFields, readQuery, text, wholeText } from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { notFound } from '../responses/problem.js'
import { ofOperation, ofSchedule } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

export const PAGE = { after: text(), limit: wholeText(1, 1_000) }

export const schedules: Endpoint[] = [
  { method: 'GET', path: 'schedules', run: list },
  { method: 'GET', path: 'schedules/:name', run: get },
  { method: 'DELETE', path: 'schedules/:name', run: remove },
  {
    method: 'POST',
    path: 'schedules/:name/pause',
    run: act(async (name, { symphony, redaction }, because) => ({
      schedule: redaction.schedule(await symphony.pauseSchedule(name, because)),
    })),
  },
  {
    method: 'POST',
    path: 'schedules/:name/resume',
    run: act(async (name, { symphony, redaction }, because) => ({
      schedule: redaction.schedule(await symphony.resumeSchedule(name, because)),
    })),
  },
  {
    method: 'POST',
    path: 'schedules/:name/run',
    run: act((name, { symphony }, because) => symphony.runScheduleNow(name, because)),
  },
]

async function list({ url, symphony, redaction }: Call): Promise<Answer> {
  const { after, limit = 100 } = readQuery(url, PAGE)
  const found = await symphony.listSchedules({ limit: limit + 1, ...(after === undefined ? {} : { after }) })
  const page = found.slice(0, limit)
  const hasMore = found.length > limit
  return new Answer({
    success: true,
    schedules: page.map((it) => redaction.schedule(it)),
    pagination: { limit, hasMore, after: hasMore ? (page.at(-1)?.name ?? null) : null },
  })
}

async function get(call: Call): Promise<Answer> {
  const name = nameIn(call)
  const schedule = await call.symphony.getSchedule(name)
  if (schedule === null) throw missing(name)
  return new Answer({ success: true, schedule: call.redaction.schedule(schedule) })
}

async function remove(call: Call): Promise<Answer> {
  const name = nameIn(call)
  const because = by(call.grant, readQuery(call.url, BECAUSE))
  if (!(await ofOperation(call.symphony.deleteSchedule(name, because)))) throw missing(name)
  return new Answer({ success: true, removed: 1 })
}

function act(action: (name: string, call: Call, because: Because) => Promise<object>): (call: Call) => Promise<Answer> {
  return async (call) => {
    const name = nameIn(call)
    const because = by(call.grant, await saidIn(call.request))
    try {
      return new Answer({ success: true, ...(await ofSchedule(ofOperation(action(name, call, because)))) })
    } catch (error) {
      if (error instanceof SchedulerError && error.code === 'SYMPHONY_UNKNOWN_SCHEDULE') throw missing(name)
      throw error
    }
  }
}

/** The name in the path. One that no schedule can have is refused, like any other parameter. */
function nameIn({ parameters }: Call): string {
  return readFields({ name: parameters.name }, { name: text() }).name ?? ''
}

function missing(name: string): Error {
  return notFound(`schedule ${cut(name)} does not exist`)
}
