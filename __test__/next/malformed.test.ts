/** Requests that are wrong: each is answered with a status, a code, and the name of what is wrong. */
import { consumeBatch, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import { listFailed, listMessages } from '@leadmap/symphony/admin'
import { createSymphonyRoute } from '@leadmap/symphony/next'
import { beforeEach, expect, test } from 'vitest'
import { countAll, createQueue, emptyTables } from '../support/symphony.js'
import { read, request } from './support.js'

const database = await createQueue({ transports: { email: { type: 'postgres', queue: 'email' } } })
const route = createSymphonyRoute({ authorize: () => true })

const registry = new HandlerRegistry()
registry.register('Doomed', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))

/** What a request that is refused leaves alone: a dead letter, a message, a schedule. */
beforeEach(async () => {
  await emptyTables(database)
  await dispatch({ type: 'Doomed', payload: {} })
  await consumeBatch({ registry })
  await dispatch({ type: 'Waiting', payload: {} })
  await schedule({ type: 'Planned', payload: {} }, { cron: '0 9 * * *' }, { name: 'daily' })
})

const message = { type: 'Any', payload: {} }
const options = (given: object) => ({ json: { message, options: given } })
const raw = (body: string) => ({ body, headers: { 'content-type': 'application/json' } })
const payload = (text: string) => raw(`{"message":{"type":"Any","payload":${text}}}`)
const long = 'x'.repeat(5_000)

type Init = Parameters<typeof request>[1]
/** Method, path, what is sent, status, code, the field named. */
const table: Array<[string, string, Init, number, string, string | undefined]> = [
  // What cannot be stored, or is not what it should be.
  ['POST', 'dispatch', options({ headers: { a: 1 } }), 400, 'INVALID_HEADERS', 'options.headers.a'],
  ['POST', 'dispatch', options({ headers: { a: null } }), 400, 'INVALID_HEADERS', 'options.headers.a'],
  [
    'POST',
    'dispatch',
    options({ headers: { ok: 'x', 'x y': { z: 1 } } }),
    400,
    'INVALID_HEADERS',
    'options.headers["x y"]',
  ],
  ['POST', 'dispatch', options({ headers: [] }), 400, 'INVALID_HEADERS', 'options.headers'],
  ['POST', 'dispatch', options({ queue: 'mail ' }), 400, 'INVALID_QUEUE', 'options.queue'],
  ['POST', 'dispatch', options({ queue: ' mail' }), 400, 'INVALID_QUEUE', 'options.queue'],
  ['POST', 'dispatch', options({ queue: 'mail\n' }), 400, 'INVALID_QUEUE', 'options.queue'],
  ['POST', 'dispatch', options({ queue: 'ma\til' }), 400, 'INVALID_QUEUE', 'options.queue'],
  ['POST', 'dispatch', options({ queue: '\u00a0mail' }), 400, 'INVALID_QUEUE', 'options.queue'],
  ['POST', 'dispatch', options({ maxRetries: 2_147_483_648 }), 400, 'INVALID_MAX_RETRIES', 'options.maxRetries'],
  ['POST', 'dispatch', options({ maxRetries: 4_294_967_296 }), 400, 'INVALID_MAX_RETRIES', 'options.maxRetries'],
  ['POST', 'dispatch', options({ maxRetries: 1.5 }), 400, 'INVALID_MAX_RETRIES', 'options.maxRetries'],
  ['POST', 'dispatch', options({ transport: [] }), 400, 'UNKNOWN_OPTION', 'options.transport'],
  ['POST', 'dispatch', options({ transport: ['supabase', 'nope'] }), 400, 'INVALID_REQUEST', 'options.transport'],
  ['POST', 'dispatch', options({ transport: 'nope' }), 400, 'INVALID_REQUEST', 'options.transport'],
  ['POST', 'dispatch', options({ transport: [1] }), 400, 'UNKNOWN_OPTION', 'options.transport'],
  [
    'POST',
    'dispatch',
    options({ scheduledAt: '2026-02-30T10:00:00Z' }),
    400,
    'INVALID_SCHEDULED_AT',
    'options.scheduledAt',
  ],
  ['POST', 'dispatch', options({ scheduledAt: '2026-02-01' }), 400, 'INVALID_SCHEDULED_AT', 'options.scheduledAt'],
  [
    'POST',
    'dispatch',
    options({ scheduledAt: '2026-02-01 10:00:00Z' }),
    400,
    'INVALID_SCHEDULED_AT',
    'options.scheduledAt',
  ],
  ['POST', 'dispatch', options({ scheduledAt: 8.64e15 }), 400, 'INVALID_SCHEDULED_AT', 'options.scheduledAt'],
  ['POST', 'dispatch', options({ scheduledAt: -8.64e15 }), 400, 'INVALID_SCHEDULED_AT', 'options.scheduledAt'],
  ['POST', 'dispatch', options({ scheduledAt: -2.2e14 }), 400, 'INVALID_SCHEDULED_AT', 'options.scheduledAt'],
  ['POST', 'dispatch', options({ scheduledAt: {} }), 400, 'INVALID_SCHEDULED_AT', 'options.scheduledAt'],
  ['POST', 'dispatch', options({ idempotencyKey: 'a\0b' }), 400, 'INVALID_IDEMPOTENCY_KEY', 'options.idempotencyKey'],
  ['POST', 'dispatch', payload('{"a":1e200000}'), 400, 'INVALID_PAYLOAD', 'payload.a'],
  ['POST', 'dispatch', payload('{"a":[1e-20000]}'), 400, 'INVALID_PAYLOAD', 'payload'],
  ['POST', 'dispatch', payload(`{"a":${'9'.repeat(140_000)}}`), 400, 'INVALID_PAYLOAD', 'payload.a'],
  ['POST', 'dispatch', payload('{"a":1e999999999999999999999999}'), 400, 'INVALID_PAYLOAD', 'payload.a'],
  ['POST', 'dispatch', payload(`${'{"a":'.repeat(4_000)}null${'}'.repeat(4_000)}`), 400, 'INVALID_PAYLOAD', 'payload'],
  ['POST', 'dispatch', payload('{"a\\u0000b":1}'), 400, 'INVALID_PAYLOAD', 'payload["a\\u0000b"]'],
  ['POST', 'dispatch', payload('[]'), 400, 'INVALID_PAYLOAD', 'payload'],
  [
    'POST',
    'dispatch',
    raw(`{"message":{"type":"Any","payload":{},${JSON.stringify(long)}:1}}`),
    400,
    'INVALID_REQUEST',
    `message.${'x'.repeat(60)}…`,
  ],
  ['POST', 'dispatch', raw('{"message":'), 400, 'INVALID_REQUEST', undefined],
  ['POST', 'dispatch', { json: { message: { ...message, metadata: 7 } } }, 400, 'INVALID_HEADERS', 'metadata'],
  // Filters that say what to delete or to put back.
  ['DELETE', 'failed?failedBefore=2026-02-30', {}, 400, 'INVALID_REQUEST', 'failedBefore'],
  ['DELETE', 'failed', { json: { failedBefore: '2026-02-30T00:00:00Z' } }, 400, 'INVALID_REQUEST', 'failedBefore'],
  ['DELETE', 'failed?failedBefore=999999999999999', {}, 400, 'INVALID_REQUEST', 'failedBefore'],
  ['DELETE', 'failed', { json: { failedBefore: 8.64e15 } }, 400, 'INVALID_REQUEST', 'failedBefore'],
  ['DELETE', 'failed', { json: { failedAfter: -8.64e15 } }, 400, 'INVALID_REQUEST', 'failedAfter'],
  ['DELETE', 'failed?transport=nope', {}, 400, 'INVALID_REQUEST', 'transport'],
  ['DELETE', 'failed?type=&queue=default', {}, 400, 'INVALID_REQUEST', 'type'],
  ['DELETE', 'failed', { json: { type: null, queue: 'default' } }, 400, 'INVALID_REQUEST', 'type'],
  ['POST', 'failed/retry', { json: { transport: 'nope' } }, 400, 'INVALID_REQUEST', 'transport'],
  ['POST', 'failed/retry', { json: { failedAfter: '2026-01-01T25:00:00Z' } }, 400, 'INVALID_REQUEST', 'failedAfter'],
  ['POST', 'failed/retry', { json: { ids: ['x'] } }, 400, 'INVALID_REQUEST', 'ids'],
  ['DELETE', 'failed?queue=a&queue=b', {}, 400, 'INVALID_REQUEST', 'queue'],
  ['DELETE', `failed?${long}=1`, {}, 400, 'INVALID_REQUEST', `${'x'.repeat(60)}…`],
  // Filters that say what to look at.
  ['GET', 'failed?transport=nope', {}, 400, 'INVALID_REQUEST', 'transport'],
  ['GET', 'failed?failedAfter=2026-04-31', {}, 400, 'INVALID_REQUEST', 'failedAfter'],
  ['GET', 'failed?failedAfter=-99999999999999', {}, 400, 'INVALID_REQUEST', 'failedAfter'],
  [
    'GET',
    'failed?cursor=-300000000000000000.01a1fc25-df1b-7683-8144-905c866371f6',
    {},
    400,
    'INVALID_REQUEST',
    'cursor',
  ],
  [
    'GET',
    'failed?cursor=9223372036854775806.01a1fc25-df1b-7683-8144-905c866371f6',
    {},
    400,
    'INVALID_REQUEST',
    'cursor',
  ],
  ['GET', 'admin/messages?transport=nope', {}, 400, 'INVALID_REQUEST', 'transport'],
  ['GET', 'admin/messages?createdAfter=253402300800000', {}, 400, 'INVALID_REQUEST', 'createdAfter'],
  ['GET', 'admin/messages?createdBefore=2025-02-29', {}, 400, 'INVALID_REQUEST', 'createdBefore'],
  ['GET', 'status?transport=nope', {}, 400, 'INVALID_REQUEST', 'transport'],
  ['GET', 'metrics?startTime=2026-02-30', {}, 400, 'INVALID_REQUEST', 'startTime'],
  ['GET', 'metrics?startTime=999999999999999', {}, 400, 'INVALID_REQUEST', 'startTime'],
  ['GET', 'metrics?startTime=1000&endTime=1000', {}, 400, 'INVALID_REQUEST', 'startTime'],
  ['POST', 'consume', { json: { transport: 'nope' } }, 400, 'INVALID_REQUEST', 'transport'],
  // Names in the path.
  ['GET', 'schedules/a%00b', {}, 400, 'INVALID_REQUEST', 'name'],
  ['DELETE', 'schedules/%00', {}, 400, 'INVALID_REQUEST', 'name'],
  ['POST', 'schedules/%00/pause', {}, 400, 'INVALID_REQUEST', 'name'],
  ['POST', 'schedules/%00/resume', {}, 400, 'INVALID_REQUEST', 'name'],
  ['POST', 'schedules/%00/run', {}, 400, 'INVALID_REQUEST', 'name'],
  ['GET', `schedules/${long}`, {}, 400, 'INVALID_REQUEST', 'name'],
  ['GET', 'schedules?after=a%00', {}, 400, 'INVALID_REQUEST', 'after'],
  ['GET', 'schedules/%ff', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', 'schedules/%', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', 'schedules/none', {}, 404, 'NOT_FOUND', undefined],
  ['GET', '%61dmin/stats', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', 'admin//stats', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', '/admin/stats', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', 'admin/stats/', {}, 400, 'INVALID_REQUEST', 'path'],
  ['GET', 'Admin/stats', {}, 404, 'NOT_FOUND', undefined],
  ['PUT', 'failed', {}, 405, 'METHOD_NOT_ALLOWED', undefined],
]

const named = table.map(
  (row, place) => [`${place}: ${row[0]} ${row[1]} ${JSON.stringify(row[2])}`.slice(0, 120), row] as const,
)
test.each(named)('%s', async (_, [method, path, init, status, code, field]) => {
  const answer = await read(route.handle(request(`/api/symphony/${path}`, { method, ...init })))
  expect([answer.status, answer.body.error?.code, answer.body.error?.field]).toEqual([
    status,
    `SYMPHONY_${code}`,
    field,
  ])
  expect(answer.body.success).toBe(false)
  // Says what was found and what is wanted, and does not send back what it was sent.
  expect(answer.body.error.message.length).toBeLessThan(600)
  expect(answer.body.error.message).toMatch(
    /want|must|there (is|are)|the (options|fields|keys|filters|parameters) are|only|given|at most|has an? |holds|write|contains|is nested|too|not|breaks/,
  )
  expect([
    await countAll(database),
    (await listFailed()).messages.length,
    (await listMessages()).messages.length,
  ]).toEqual([2, 1, 1])
})

test('the same is refused without HTTP', async () => {
  const nope = { code: 'SYMPHONY_UNKNOWN_TRANSPORT' }
  for (const wrong of [{ transport: ['supabase', 'nope'] }, { transport: 'nope' }]) {
    await expect(dispatch(message, wrong)).rejects.toMatchObject(nope)
  }
  for (const [wrong, path] of [
    [{ transport: [] }, 'options.transport'],
    [{ headers: { a: 1 } }, 'options.headers.a'],
    [{ queue: 'mail\n' }, 'options.queue'],
    [{ maxRetries: 2_147_483_648 }, 'options.maxRetries'],
    [{ scheduledAt: '2026-02-30T10:00:00Z' }, 'options.scheduledAt'],
    [{ scheduledAt: new Date(8.64e15) }, 'options.scheduledAt'],
  ] as const) {
    await expect(dispatch(message, wrong as never)).rejects.toMatchObject({ name: 'MessageValidationError', path })
  }
  await expect(listFailed({ transport: 'nope' })).rejects.toMatchObject(nope)
  await expect(listMessages({ transport: 'nope' })).rejects.toMatchObject(nope)
  for (const when of ['2026-02-30T00:00:00Z', new Date(8.64e15), Number.NaN]) {
    await expect(listFailed({ failedBefore: when })).rejects.toThrow('options.failedBefore')
    await expect(listMessages({ createdAfter: when })).rejects.toThrow('options.createdAfter')
  }
  await expect(listFailed({ type: 'a\0b' })).rejects.toThrow('type')
  expect(await countAll(database)).toBe(2)
})

test('what is right still passes', async () => {
  const fine = { headers: { a: '' }, queue: 'a b', maxRetries: 2_147_483_647, transport: ['supabase', 'email'] }
  const when = { scheduledAt: '9999-12-31T23:59:59.999Z' }
  expect(
    (await read(route.handle(request('/api/symphony/dispatch', { method: 'POST', ...options(fine) })))).status,
  ).toBe(201)
  expect(
    (await read(route.handle(request('/api/symphony/dispatch', { method: 'POST', ...options(when) })))).status,
  ).toBe(201)
  for (const path of [
    'failed?failedBefore=2026-02-28&type=',
    'failed?failedAfter=2024-02-29T00:00:00%2B01:00',
    'failed?transport=email',
    'admin/messages?createdAfter=0&createdBefore=253402300799999',
    'metrics?startTime=2026-01-01T00:00Z',
    'schedules/daily',
  ]) {
    expect((await read(route.handle(request(`/api/symphony/${path}`)))).status, path).toBe(200)
  }
})

test('a number that no double holds is refused with its path', async () => {
  for (const number of ['1e400', '-1e309']) {
    const body = `{ "message": { "type": "Huge", "payload": { "list": [{ "n": ${number} }] } } }`
    const answer = await read(route.handle(request('/api/symphony/dispatch', { method: 'POST', ...raw(body) })))
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({
      error: { field: 'payload.list[0].n', message: expect.stringContaining('a number beyond a double') },
    })
  }
  const [row] = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM symphony.messenger_messages WHERE message_type = 'Huge'",
  )
  expect(row?.n).toBe(0)
})

test('numbers are stored digit by digit', async () => {
  const body = `{ "message": { "type": "Exact", "payload": { "id": 9007199254740993, "big": 1e300, "tiny": 0.10000000000000000001,
    "text": "9 9\\u00e9" }, "metadata": { "id": 18446744073709551617 } } }`
  const answer = await read(route.handle(request('/api/symphony/dispatch', { method: 'POST', ...raw(body) })))
  expect(answer.status).toBe(201)
  const [row] = await database.query<Record<string, string>>(
    `SELECT body->>'id' AS id, body->>'big' = '1' || repeat('0', 300) AS big, body->>'tiny' AS tiny, body->>'text' AS text,
            metadata->>'id' AS meta FROM symphony.messenger_messages WHERE message_type = 'Exact'`,
  )
  expect(row).toEqual({
    id: '9007199254740993',
    big: true,
    tiny: '0.10000000000000000001',
    text: '9 9é',
    meta: '18446744073709551617',
  })
})
