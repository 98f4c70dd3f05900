/** What each endpoint does, takes and answers. A test holds that none is missing, and that the answers are so. */
import { LIMITS } from '../endpoints/consume.js'
import { PAGE as FAILED_PAGE, SELECTION } from '../endpoints/dead-letters.js'
import { REQUEST } from '../endpoints/dispatch.js'
import { CHANGES } from '../endpoints/edit.js'
import { DEPTHS, GROUPS, JUDGEMENT, REFUSED } from '../endpoints/insights.js'
import { PAGE as MESSAGE_PAGE } from '../endpoints/messages.js'
import { WINDOW } from '../endpoints/monitor.js'
import { AUDIT, OPERATION, PAUSE, SCOPE, START, STEP, WORKERS } from '../endpoints/operations.js'
import { WHICH } from '../endpoints/queues.js'
import { PAGE as SCHEDULE_PAGE } from '../endpoints/schedules.js'
import { BECAUSE } from '../requests/fields.js'
import { COUNT, type Description, FLAG, having, ID, INSTANT, OBJECT, OBJECTS, orNull, TEXT } from './description.js'

const CURSOR = { limit: COUNT, hasMore: FLAG, nextCursor: orNull(TEXT) }
const RETRIED = { newMessageId: ID, originalFailedMessageId: ID, transport: TEXT }
const NOT_NOW = { 409: 'It is in a state that does not allow this.' }
const SCHEDULE = { schedule: OBJECT }
const PROGRESS = having({ id: ID, action: TEXT, done: COUNT, skipped: COUNT, failed: COUNT, ended: orNull(TEXT) })

/** By method and path, as the table of endpoints writes them. */
export const descriptions: Record<string, Description> = {
  'GET ': { summary: 'Lists the endpoints.', answer: { endpoints: { type: 'array', items: TEXT } } },
  'GET openapi.json': { summary: 'Describes the endpoints: this document.', answer: {} },
  'POST dispatch': {
    summary: 'Stores a message for its handlers.',
    body: REQUEST,
    required: ['message'],
    answer: { messageId: TEXT, status: { enum: ['queued', 'duplicate', 'handled'] }, transport: TEXT },
    statuses: [201, 200],
  },
  'POST consume': {
    summary: 'Handles messages that wait, until none is left or a limit is reached.',
    body: LIMITS,
    answer: { stats: OBJECT, health: OBJECT },
  },
  'GET status': {
    summary: 'Counts what the queue holds.',
    query: WHICH,
    answer: { transport: TEXT, queue: OBJECT, failedMessages: COUNT, scheduledMessages: COUNT, timestamp: INSTANT },
  },
  'GET queue-depth': {
    summary: 'Counts what is in each queue of each transport.',
    answer: { depth: COUNT, queues: OBJECTS, timestamp: INSTANT },
  },
  'GET metrics': {
    summary: 'The figures of a period; with `format=prometheus` the counters as text.',
    query: WINDOW,
    answer: { metrics: OBJECT },
    text: true,
  },
  'GET health': {
    summary: 'How the queue is, check by check.',
    answer: { health: having({ status: { enum: ['healthy', 'degraded', 'unhealthy'] }, checks: OBJECTS }) },
    refusals: { 503: 'The queue is unhealthy; the answer says why.' },
  },
  'GET failed': {
    summary: 'Lists dead letters, newest first.',
    query: FAILED_PAGE,
    answer: { messages: OBJECTS, pagination: having({ ...CURSOR, total: COUNT, capped: FLAG, offset: COUNT }) },
  },
  'GET failed/:id': { summary: 'One dead letter.', answer: { message: OBJECT } },
  'POST failed/:id/retry': { summary: 'Puts a dead letter back into its queue.', body: BECAUSE, answer: RETRIED },
  'DELETE failed/:id': { summary: 'Deletes a dead letter.', query: BECAUSE, answer: { removed: COUNT } },
  'POST failed/retry': {
    summary: 'Puts back all dead letters that match.',
    body: SELECTION,
    answer: { retried: COUNT, messages: { type: 'array', items: having(RETRIED) } },
  },
  'DELETE failed': { summary: 'Deletes all dead letters that match.', query: SELECTION, answer: { removed: COUNT } },
  'GET admin/messages': {
    summary: 'Lists messages other than dead letters, newest first.',
    query: MESSAGE_PAGE,
    answer: { messages: OBJECTS, pagination: having(CURSOR) },
  },
  'GET admin/messages/:id': { summary: 'One message, at any point of its life.', answer: { message: OBJECT } },
  'POST admin/messages/:id/cancel': {
    summary: 'Cancels a message that waits.',
    body: BECAUSE,
    answer: { messageId: ID, status: TEXT },
    refusals: NOT_NOW,
  },
  'POST admin/messages/:id/edit': {
    summary: 'Changes a message that waits; what is not given stays as it is.',
    body: CHANGES,
    answer: { messageId: ID, status: TEXT },
    refusals: NOT_NOW,
  },
  'GET admin/messages/:id/why': {
    summary: 'What keeps a message from running, the first of it first.',
    answer: { status: TEXT, transport: TEXT, queue: TEXT, type: TEXT, reasons: OBJECTS },
  },
  'GET admin/pauses': { summary: 'What is paused.', answer: { pauses: OBJECTS } },
  'POST admin/pauses': {
    summary: 'Pauses messages of a transport, a queue or a type.',
    body: PAUSE,
    answer: { pause: OBJECT },
  },
  'POST admin/pauses/resume': {
    summary: 'Ends the pause of exactly these names; null where there was none.',
    body: SCOPE,
    answer: { resumed: orNull(OBJECT) },
  },
  'POST admin/operations/preview': {
    summary: 'Counts what an operation would be about, and shows some of it.',
    body: OPERATION,
    required: ['action'],
    answer: { matched: COUNT, capped: FLAG, samples: OBJECTS, before: INSTANT },
  },
  'POST admin/operations': {
    summary: 'Begins an operation on all that match.',
    body: START,
    required: ['action'],
    answer: { operation: PROGRESS },
  },
  'POST admin/operations/:id/step': {
    summary: 'Makes the next step of an operation.',
    body: STEP,
    answer: { operation: PROGRESS },
  },
  'POST admin/operations/:id/abort': {
    summary: 'Ends an operation where it stands.',
    answer: { operation: PROGRESS },
  },
  'POST admin/workers/stop': {
    summary: 'Asks workers to stop.',
    body: WORKERS,
    answer: { asked: OBJECTS, waitingFor: OBJECTS },
  },
  'GET admin/workers': { summary: 'Workers and drains at work.', answer: { workers: OBJECTS } },
  'GET admin/releases': { summary: 'Releases that were seen at work.', answer: { releases: OBJECTS } },
  'GET admin/depths': { summary: 'How full queues were.', query: DEPTHS, answer: { depths: OBJECTS } },
  'GET admin/errors': { summary: 'Failed runs by type and error.', query: GROUPS, answer: { groups: OBJECTS } },
  'POST admin/errors': {
    summary: 'Says what is thought of a group of errors.',
    body: JUDGEMENT,
    required: ['type', 'class', 'state'],
    answer: { type: TEXT, class: TEXT, state: TEXT, note: orNull(TEXT) },
    refusals: { 404: 'No run of this type has failed with this class.' },
  },
  'GET admin/refused-keys': {
    summary: 'Idempotency keys that have refused dispatches.',
    query: REFUSED,
    answer: { keys: OBJECTS },
  },
  'GET admin/audit': {
    summary: 'Who did what, newest first.',
    query: AUDIT,
    answer: { entries: OBJECTS, pagination: having(CURSOR) },
  },
  'GET admin/audit/:id': { summary: 'One entry of the audit.', answer: { entry: PROGRESS } },
  'GET admin/stats': { summary: 'What the queue holds now.', answer: { stats: OBJECT, timestamp: INSTANT } },
  'GET schedules': {
    summary: 'Lists schedules by name.',
    query: SCHEDULE_PAGE,
    answer: { schedules: OBJECTS, pagination: having({ limit: COUNT, hasMore: FLAG, after: orNull(TEXT) }) },
  },
  'GET schedules/:name': { summary: 'One schedule.', answer: SCHEDULE },
  'DELETE schedules/:name': { summary: 'Deletes a schedule.', query: BECAUSE, answer: { removed: COUNT } },
  'POST schedules/:name/pause': { summary: 'Pauses a schedule.', body: BECAUSE, answer: SCHEDULE, refusals: NOT_NOW },
  'POST schedules/:name/resume': { summary: 'Resumes a schedule.', body: BECAUSE, answer: SCHEDULE, refusals: NOT_NOW },
  'POST schedules/:name/run': {
    summary: 'Dispatches the message of a schedule now, beside its own times.',
    body: BECAUSE,
    answer: {},
    refusals: NOT_NOW,
  },
}
