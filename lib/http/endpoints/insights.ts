/** What operators look at beside messages: workers, depths over time, errors, refused keys, releases. */
import { by } from '../authorization/permissions.js'
import { readJson, SMALL_BODY } from '../requests/body.js'
import { BECAUSE, instant, oneOf, readFields, readQuery, text, wholeText } from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { badRequest, notFound } from '../responses/problem.js'
import { namingTransport, ofOperation } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

/** Which depths. */
export const DEPTHS = {
  minutes: wholeText(1, 525_600),
  startTime: instant,
  endTime: instant,
  transport: text(),
  queue: text(),
}

const STATES = ['open', 'resolved', 'ignored'] as const

/** Which groups of errors. */
export const GROUPS = { type: text(), state: oneOf(...STATES), limit: wholeText(1, 1_000) }

/** What is thought of a group of errors. */
export const JUDGEMENT = { type: text(), class: text(), state: oneOf(...STATES), note: text(1_000), ...BECAUSE }

/** Which keys that have refused dispatches. */
export const REFUSED = { before: instant, limit: wholeText(1, 1_000) }

export const insights: Endpoint[] = [
  { method: 'GET', path: 'admin/workers', run: workers },
  { method: 'GET', path: 'admin/depths', run: depths },
  { method: 'GET', path: 'admin/errors', run: errors },
  { method: 'POST', path: 'admin/errors', run: judge },
  { method: 'GET', path: 'admin/refused-keys', run: refusedKeys },
  { method: 'GET', path: 'admin/releases', run: releases },
]

async function workers({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  return new Answer({ success: true, workers: await symphony.listWorkers() })
}

async function depths({ url, symphony }: Call): Promise<Answer> {
  const options = readQuery(url, DEPTHS)
  if (options.queue !== undefined && options.transport === undefined)
    throw badRequest('queue: wants a transport beside it', 'queue')
  if (options.startTime !== undefined && options.startTime.getTime() >= (options.endTime?.getTime() ?? Date.now()))
    throw badRequest('startTime: must be before endTime, which is now unless it is given', 'startTime')
  return new Answer({ success: true, depths: await namingTransport(symphony.getDepths(options)) })
}

async function errors({ url, symphony }: Call): Promise<Answer> {
  return new Answer({ success: true, groups: await symphony.listErrorGroups(readQuery(url, GROUPS)) })
}

async function judge({ request, symphony, grant }: Call): Promise<Answer> {
  const asked = readFields((await readJson(request, SMALL_BODY)) ?? {}, JUDGEMENT)
  const { type, class: errorClass, state, note, ...said } = asked
  if (type === undefined || errorClass === undefined || state === undefined)
    throw badRequest('the body: wants { "type", "class", "state", "note"? }')
  const known = await ofOperation(symphony.setErrorGroup(type, errorClass, state, note, by(grant, said)))
  if (!known) throw notFound('no run of this type has failed with this class')
  return new Answer({ success: true, type, class: errorClass, state, note: note ?? null })
}

async function refusedKeys({ url, symphony }: Call): Promise<Answer> {
  const options = readQuery(url, REFUSED)
  return new Answer({ success: true, keys: await symphony.listRefusedKeys(options) })
}

async function releases({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  return new Answer({ success: true, releases: await symphony.listReleases() })
}
