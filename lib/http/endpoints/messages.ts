/** Single messages, for operators: list, find, cancel. */
import { contents } from '../../monitor/contents.js'
import type { MessagePage, MessagePageOptions, MessageStatus } from '../../operate/messages.js'
import { partsOf, type Symphony } from '../../symphony.js'
import { by } from '../authorization/permissions.js'
import { mustNotProbe, type Redaction } from '../redaction/redaction.js'
import { saidIn } from '../requests/body.js'
import { cut, instant, oneOf, readQuery, text, wholeText, yes } from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { notFound, RequestProblem } from '../responses/problem.js'
import { atCursor, ofFilter, ofOperation } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

export const PAGE = {
  type: text(),
  transport: text(),
  queue: text(),
  status: oneOf('pending', 'processing', 'completed', 'discarded', 'cancelled'),
  priority: wholeText(1, 10),
  text: text(200),
  createdAfter: instant,
  createdBefore: instant,
  query: text(2_000),
  limit: wholeText(1, 1_000),
  cursor: text(),
  full: yes,
}

export const admin: Endpoint[] = [
  { method: 'GET', path: 'admin/messages', run: list },
  { method: 'GET', path: 'admin/messages/:id', run: get },
  { method: 'POST', path: 'admin/messages/:id/cancel', run: cancel },
  { method: 'GET', path: 'admin/stats', run: stats },
]

async function list({ url, symphony, redaction }: Call): Promise<Answer> {
  const { limit = 50, full, ...options } = readQuery(url, PAGE)
  await ofFilter(mustNotProbe(redaction, options, false))
  const listed = pageOf(symphony, redaction, { ...options, limit }, full)
  const { messages, nextCursor, searchedTo } = await atCursor(options.cursor, ofFilter(listed))
  const hasMore = nextCursor !== null
  return new Answer({ success: true, messages, pagination: { limit, hasMore, nextCursor, searchedTo } })
}

async function pageOf(
  { listMessages }: Symphony,
  redaction: Redaction,
  options: Omit<MessagePageOptions, 'full'>,
  full = false,
): Promise<MessagePage<object>> {
  if (!full && !redaction.hides) return listMessages(options)
  const { messages, ...page } = await listMessages({ ...options, full: true })
  return { ...page, messages: messages.map((it) => (full ? redaction.whole(it) : redaction.outline(it))) }
}

async function get({ parameters, symphony, redaction }: Call): Promise<Answer> {
  const message = await symphony.getMessage(parameters.id ?? '')
  if (message === null) throw missing(parameters.id)
  return new Answer({ success: true, message: redaction.whole(message) })
}

async function cancel({ request, parameters, symphony, grant }: Call): Promise<Answer> {
  const { cancelled, status } = await ofOperation(
    symphony.cancelMessage(parameters.id ?? '', by(grant, await saidIn(request))),
  )
  if (status === null) throw missing(parameters.id)
  if (!cancelled) throw new RequestProblem(409, 'SYMPHONY_CONFLICT', `message ${parameters.id} ${STATES[status]}`)
  return new Answer({ success: true, messageId: parameters.id, status })
}

/** Why a message is not as it would have to be. */
export const STATES: Record<MessageStatus, string> = {
  pending: 'is being claimed at this moment; try again',
  processing: 'is being handled; this can be done only while it waits',
  completed: 'has been handled already',
  discarded: 'is finished already',
  cancelled: 'is cancelled already',
  failed: 'is a dead letter: delete that',
}

async function stats({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  return new Answer({ success: true, stats: await contents(partsOf(symphony).core), timestamp: new Date() })
}

function missing(id = ''): Error {
  return notFound(`message ${cut(id)} does not exist; finished ones are kept for \`retention.completed\``)
}
