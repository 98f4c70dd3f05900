/** What operators do: pauses, operations on all that match, and the audit of both. */

import type { StartOptions } from '../../operate/operations.js'
import { by, mustBeAllowed } from '../authorization/permissions.js'
import { mustNotProbe, type Redaction } from '../redaction/redaction.js'
import { readJson, SMALL_BODY } from '../requests/body.js'
import {
  BECAUSE,
  cut,
  duration,
  ids,
  instant,
  object,
  oneOf,
  readExactly,
  readFields,
  readQuery,
  text,
  whole,
  wholeText,
} from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { notFound } from '../responses/problem.js'
import { atCursor, ofFilter, ofOperation } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

const YEAR = 365 * 86_400_000

/** What to resume. */
export const SCOPE = { transport: text(), queue: text(), type: text(), ...BECAUSE }

/** What to pause, and for how long. */
export const PAUSE = { ...SCOPE, until: instant, for: duration(1, YEAR) }

/** What an operation does, and to which messages. */
export const OPERATION = {
  action: oneOf('retry', 'remove', 'cancel', 'snooze', 'move'),
  filter: object,
  ids: ids(1_000),
  delay: duration(0, YEAR),
  transport: text(),
  queue: text(),
  priority: whole(1, 10),
  before: instant,
}

/** An operation that begins. */
export const START = {
  ...OPERATION,
  id: text(36),
  matched: whole(0, Number.MAX_SAFE_INTEGER),
  ...BECAUSE,
}

/** How large a step is. */
export const STEP = { limit: whole(1, 1_000) }

/** Which workers stop. */
export const WORKERS = { transport: text(), ids: ids(1_000), ...BECAUSE }

/** Which entries of the audit. */
export const AUDIT = {
  actor: text(),
  action: text(),
  after: instant,
  before: instant,
  limit: wholeText(1, 1_000),
  cursor: text(),
}

export const operations: Endpoint[] = [
  { method: 'GET', path: 'admin/pauses', run: pauses },
  { method: 'POST', path: 'admin/pauses', run: pause },
  { method: 'POST', path: 'admin/pauses/resume', run: resume },
  { method: 'GET', path: 'admin/messages/:id/why', run: why },
  { method: 'POST', path: 'admin/operations', run: start },
  { method: 'POST', path: 'admin/operations/preview', run: preview },
  { method: 'POST', path: 'admin/operations/:id/step', run: step },
  { method: 'POST', path: 'admin/operations/:id/abort', run: abort },
  { method: 'POST', path: 'admin/workers/stop', run: stopWorkers },
  { method: 'GET', path: 'admin/audit', run: audit },
  { method: 'GET', path: 'admin/audit/:id', run: entry },
]

async function pauses({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  return new Answer({ success: true, pauses: await symphony.listPauses() })
}

async function pause({ request, symphony, grant }: Call): Promise<Answer> {
  const body = await readJson(request, SMALL_BODY)
  const asked = readExactly(body ?? {}, PAUSE)
  return new Answer({ success: true, pause: await ofOperation(symphony.pause({ ...asked, ...by(grant) })) })
}

async function resume({ request, symphony, grant }: Call): Promise<Answer> {
  const asked = readExactly((await readJson(request, SMALL_BODY)) ?? {}, SCOPE)
  return new Answer({ success: true, resumed: await ofOperation(symphony.resume({ ...asked, ...by(grant) })) })
}

async function why({ parameters, symphony, redaction }: Call): Promise<Answer> {
  const answer = await symphony.why(parameters.id ?? '')
  if (answer === null) throw notFound(`message ${cut(parameters.id ?? '')} does not exist`)
  const message = redaction.hides ? await symphony.getMessage(parameters.id ?? '') : null
  return new Answer({ success: true, ...redaction.about(answer, message) })
}

async function preview({ request, symphony, redaction }: Call): Promise<Answer> {
  const asked = readExactly((await readJson(request, SMALL_BODY)) ?? {}, OPERATION)
  await mayAsk(redaction, asked)
  const { samples, ...seen } = await ofOperation(symphony.previewOperation(asked as StartOptions))
  const find = isOfLetters(asked) ? symphony.getFailed : symphony.getMessage
  const shown = samples.map(async (it) => redaction.about(it, redaction.hides ? await find(it.id) : null))
  return new Answer({ success: true, ...seen, samples: await Promise.all(shown) })
}

async function start({ request, symphony, grant, redaction }: Call): Promise<Answer> {
  const asked = readExactly((await readJson(request, SMALL_BODY)) ?? {}, START)
  await mayAsk(redaction, asked)
  if (asked.action === 'remove') mustBeAllowed(grant, 'failed:remove')
  const operation = await ofOperation(symphony.startOperation({ ...asked, ...by(grant) } as StartOptions))
  return new Answer({ success: true, operation })
}

function isOfLetters({ action }: { action?: string }): boolean {
  return action === 'retry' || action === 'remove'
}

/** Refuses a filter that looks for what is hidden. */
async function mayAsk(redaction: Redaction, asked: { action?: string; filter?: object }): Promise<void> {
  await ofFilter(mustNotProbe(redaction, asked.filter ?? {}, isOfLetters(asked)))
}

async function step({ request, parameters, symphony }: Call): Promise<Answer> {
  const { limit } = readFields((await readJson(request, SMALL_BODY)) ?? {}, STEP)
  const operation = await symphony.stepOperation(parameters.id ?? '', limit === undefined ? {} : { limit })
  if (operation === null) throw missing(parameters.id)
  return new Answer({ success: true, operation })
}

async function abort({ parameters, symphony }: Call): Promise<Answer> {
  const operation = await symphony.abortOperation(parameters.id ?? '')
  if (operation === null) throw missing(parameters.id)
  return new Answer({ success: true, operation })
}

/** It answers at once: who waits asks again, until nobody is left. */
async function stopWorkers({ request, symphony, grant }: Call): Promise<Answer> {
  const asked = readExactly((await readJson(request, SMALL_BODY)) ?? {}, WORKERS)
  return new Answer({ success: true, ...(await ofOperation(symphony.stopWorkers({ ...asked, ...by(grant) }))) })
}

async function audit({ url, symphony }: Call): Promise<Answer> {
  const { limit = 50, ...options } = readQuery(url, AUDIT)
  const { entries, nextCursor } = await atCursor(options.cursor, symphony.listAudit({ ...options, limit }))
  return new Answer({ success: true, entries, pagination: { limit, hasMore: nextCursor !== null, nextCursor } })
}

async function entry({ parameters, symphony }: Call): Promise<Answer> {
  const found = await symphony.getAuditEntry(parameters.id ?? '')
  if (found === null) throw missing(parameters.id)
  return new Answer({ success: true, entry: found })
}

function missing(id = ''): Error {
  return notFound(`operation ${cut(id)} does not exist`)
}
