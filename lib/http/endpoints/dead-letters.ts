/** Dead letters: list, put back, delete. */
import type { Because } from '../../base/because.js'
import { given } from '../../base/given.js'
import type { FailedFilter, FailedPage, FailedPageOptions } from '../../operate/dead-letters.js'
import type { Symphony } from '../../symphony.js'
import { by } from '../authorization/permissions.js'
import { mustNotProbe, type Redaction } from '../redaction/redaction.js'
import { readJson, SMALL_BODY, saidIn } from '../requests/body.js'
import {
  BECAUSE,
  cut,
  ids,
  instant,
  isId,
  queryOf,
  readExactly,
  readQuery,
  text,
  wholeText,
  yes,
} from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { badRequest, notFound } from '../responses/problem.js'
import { atCursor, ofFilter, ofOperation } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

const FILTER = {
  type: text(),
  transport: text(),
  queue: text(),
  errorClass: text(),
  text: text(200),
  failedAfter: instant,
  failedBefore: instant,
  query: text(2_000),
}

export const SELECTION = { ...FILTER, ids: ids(1_000), all: yes, ...BECAUSE }

export const PAGE = { ...FILTER, limit: wholeText(1, 1_000), offset: wholeText(0, 10_000), cursor: text(), full: yes }

const DEFAULT_LIMIT = 50

export const failed: Endpoint[] = [
  { method: 'GET', path: 'failed', run: list },
  { method: 'DELETE', path: 'failed', run: removeSome },
  { method: 'POST', path: 'failed/retry', run: retrySome },
  { method: 'GET', path: 'failed/:id', run: get },
  { method: 'DELETE', path: 'failed/:id', run: remove },
  { method: 'POST', path: 'failed/:id/retry', run: retry },
]

async function list({ url, symphony, redaction }: Call): Promise<Answer> {
  const { limit = DEFAULT_LIMIT, offset = 0, cursor, full, ...filter } = readQuery(url, PAGE)
  if (cursor !== undefined && offset > 0) throw badRequest('offset: must not stand beside a cursor', 'offset')
  await ofFilter(mustNotProbe(redaction, filter, true))
  const asked = Promise.all([
    symphony.countFailed(filter),
    atCursor(cursor, pageAt(symphony, redaction, offset, { ...filter, limit, cursor }, full)),
  ])
  const [{ total, capped }, { messages, nextCursor, searchedTo }] = await ofFilter(asked)
  const hasMore = nextCursor !== null
  const pagination = { total, capped, limit, offset, hasMore, nextCursor, searchedTo }
  return new Answer({ success: true, messages, pagination })
}

/** An offset is reached page by page; a cursor is where the page starts. */
async function pageAt(
  { listFailed }: Symphony,
  redaction: Redaction,
  offset: number,
  options: Omit<FailedPageOptions, 'full'>,
  full = false,
): Promise<FailedPage<object>> {
  let { cursor } = options
  for (let left = offset; left > 0; ) {
    const skipped = await listFailed({ ...options, cursor, limit: Math.min(left, 1_000) })
    if (skipped.nextCursor === null) return { messages: [], nextCursor: null, searchedTo: null }
    left -= skipped.messages.length
    cursor = skipped.nextCursor
  }
  if (!full && !redaction.hides) return listFailed({ ...options, cursor })
  const { messages, ...page } = await listFailed({ ...options, cursor, full: true })
  return { ...page, messages: messages.map((it) => (full ? redaction.whole(it) : redaction.outline(it))) }
}

async function get({ parameters, symphony, redaction }: Call): Promise<Answer> {
  const message = await symphony.getFailed(parameters.id ?? '')
  if (message === null) throw gone(parameters.id)
  return new Answer({ success: true, message: redaction.whole(message) })
}

async function retry({ request, parameters, symphony, grant }: Call): Promise<Answer> {
  const id = parameters.id ?? ''
  const because = by(grant, await saidIn(request))
  const [retried] = isId(id) ? await ofOperation(symphony.retryFailed(id, because)) : []
  if (retried === undefined) throw gone(id)
  const { messageId, failedMessageId, transport } = retried
  return new Answer({ success: true, newMessageId: messageId, originalFailedMessageId: failedMessageId, transport })
}

async function remove({ url, parameters, symphony, grant }: Call): Promise<Answer> {
  const id = parameters.id ?? ''
  const because = by(grant, readQuery(url, BECAUSE))
  const removed = isId(id) ? await ofOperation(symphony.removeFailed(id, because)) : 0
  if (removed === 0) throw gone(id)
  return new Answer({ success: true, removed })
}

async function retrySome(call: Call): Promise<Answer> {
  const { filter, because } = await selection(call)
  const retried = await ofOperation(call.symphony.retryFailed(filter, because))
  const messages = retried.map(({ messageId, failedMessageId, transport }) => ({
    newMessageId: messageId,
    originalFailedMessageId: failedMessageId,
    transport,
  }))
  return new Answer({ success: true, retried: messages.length, messages })
}

async function removeSome(call: Call): Promise<Answer> {
  const { filter, because } = await selection(call)
  return new Answer({ success: true, removed: await ofOperation(call.symphony.removeFailed(filter, because)) })
}

/** A filter from the body, else from the query, and who wants it. `all` must be explicit. */
async function selection({
  request,
  url,
  grant,
  redaction,
}: Call): Promise<{ filter: FailedFilter; because: Because }> {
  const body = await readJson(request, SMALL_BODY)
  const { all, actor, reason, ...filter } = readExactly(body ?? queryOf(url), SELECTION)
  const empty = Object.keys(filter).length === 0
  if (empty && all === undefined) throw badRequest('give a filter, or `all`: true for every dead letter', 'all')
  if (!empty && all !== undefined) throw badRequest('all: must not stand beside a filter', 'all')
  await ofFilter(mustNotProbe(redaction, filter, true))
  return { filter, because: by(grant, given({ actor, reason })) }
}

function gone(id = ''): Error {
  return notFound(`dead letter ${cut(id)} does not exist`)
}
