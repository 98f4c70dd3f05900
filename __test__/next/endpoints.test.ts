import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import {
  consumeBatch,
  defineMessage,
  dispatch,
  dispatchBatch,
  getRegistry,
  HandlerRegistry,
  type MessageValidationError,
  registerHandler,
  schedule,
} from '@leadmap/symphony'
import { getMessage, listFailed } from '@leadmap/symphony/admin'
import { bearerToken, createSymphonyRoute } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { truncate } from '../support/emptying.js'
import { countAll, createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { read, request, SECRET } from './support.js'

const database = await createQueue({ transports: { email: { type: 'postgres', queue: 'email' } } })
beforeEach(async () => {
  await emptyTables(database)
  getRegistry().clear()
})

const route = createSymphonyRoute({ authorize: bearerToken(() => SECRET) })

type Init = Parameters<typeof request>[1]
const call = (method: string, path: string, init: Init = {}) =>
  read(route.handle(request(`/api/symphony/${path}`, { method, ...init })))
const get = (path: string) => call('GET', path)
const post = (path: string, json?: unknown) => call('POST', path, { json })

describe('a message of a defined type', () => {
  const Invoice = defineMessage(
    'Invoice',
    z.object({ to: z.string().trim(), cents: z.number(), copies: z.number().default(1) }),
  )

  test('is validated by POST dispatch as by dispatch(), and what its schema returns is stored', async () => {
    const wrong = { to: 'ada', cents: 'many' }
    const thrown = await dispatch(Invoice, wrong as never).catch((error: MessageValidationError) => error)
    expect(await post('dispatch', { message: { type: 'Invoice', payload: wrong } })).toMatchObject({
      status: 400,
      body: { error: { code: 'SYMPHONY_INVALID_PAYLOAD', field: 'payload.cents', message: (thrown as Error).message } },
    })
    expect(await storedMessages(database)).toEqual([])

    const payload = { to: ' ada ', cents: 5 }
    await dispatch(Invoice, payload)
    const message = { type: 'Invoice', payload, metadata: { id: 7 } }
    expect((await post('dispatch', { message })).status).toBe(201)
    const rows = await storedMessages(database)
    const valid = { to: 'ada', cents: 5, copies: 1 }
    expect(rows.map(({ body, metadata }) => ({ body, metadata }))).toEqual([
      { body: valid, metadata: {} },
      { body: valid, metadata: { id: 7 } },
    ])
  })

  test('may have a schema that answers later', async () => {
    defineMessage('Slow', z.object({ id: z.string().refine(async (id) => id.startsWith('u')) }))
    const send = (id: string) => post('dispatch', { message: { type: 'Slow', payload: { id } } })
    expect((await send('x')).status).toBe(400)
    expect((await send('u1')).status).toBe(201)
  })

  test('keeps the digits of its metadata, and messages of other types keep all', async () => {
    const body = (type: string) =>
      `{"message":{"type":"${type}","payload":{"to":"a","cents":1},"metadata":{"id":9007199254740993}}}`
    for (const type of ['Invoice', 'Undefined']) {
      const headers = { 'content-type': 'application/json' }
      expect((await call('POST', 'dispatch', { body: body(type), headers })).status).toBe(201)
    }
    const ids = await database.query("SELECT metadata->>'id' AS id FROM symphony.messenger_messages")
    expect(ids).toEqual([{ id: '9007199254740993' }, { id: '9007199254740993' }])
  })
})

/** Makes dead letters, oldest first. */
async function bury(count: number, type = 'Doomed'): Promise<void> {
  const registry = new HandlerRegistry()
  registry.register(type, () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
  for (let n = 0; n < count; n += 1) {
    await dispatch({ type, payload: { n } })
    await consumeBatch({ registry })
  }
}

describe('who may call', () => {
  const paths = [
    ['POST', 'dispatch'],
    ['POST', 'consume'],
    ['GET', 'status'],
    ['GET', 'queue-depth'],
    ['GET', 'failed'],
    ['POST', 'failed/retry'],
    ['DELETE', 'failed'],
    ['GET', 'admin/messages'],
    ['GET', 'admin/stats'],
    ['GET', 'nothing-here'],
  ]
  test.each(paths)('%s %s is closed without `authorize`, and to a wrong secret', async (method, path) => {
    vi.stubEnv('CRON_SECRET', SECRET)
    const closed = createSymphonyRoute()
    const json = method === 'POST' ? { message: { type: 'Any', payload: {} } } : undefined
    const url = `/api/symphony/${path}`
    expect((await closed.handle(request(url, { method, json }))).status).toBe(401)
    for (const token of ['', 'wrong', `${SECRET.slice(0, -1)}x`]) {
      expect((await call(method as string, path as string, { token, json })).status).toBe(401)
    }
    vi.unstubAllEnvs()
    expect(await countAll(database)).toBe(0)
  })

  test('in development the answer says how to open', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    const { body } = await read(createSymphonyRoute().handle(request('/api/symphony/status')))
    expect(body.error.message).toContain('authorize')
    vi.unstubAllEnvs()
  })

  test('`authorize` may answer itself, and only `true` opens', async () => {
    const redirect = () => new Response(null, { status: 302, headers: { location: '/login' } })
    const login = createSymphonyRoute({ authorize: redirect })
    expect((await login.handle(request('/api/symphony/status'))).status).toBe(302)
    const sloppy = createSymphonyRoute({ authorize: (() => ({ user: 1 })) as never })
    expect((await sloppy.handle(request('/api/symphony/status'))).status).toBe(401)
  })

  test('another site cannot make a browser dispatch', async () => {
    const headers = { 'sec-fetch-site': 'same-site' }
    const answer = await call('POST', 'dispatch', { headers, json: { message: { type: 'Any', payload: {} } } })
    expect([answer.status, await countAll(database)]).toEqual([403, 0])
    expect((await call('GET', 'status', { headers })).status).toBe(200)
  })
})

describe('POST dispatch', () => {
  test('stores a message, and says how', async () => {
    const scheduledAt = '2030-01-01T00:00:00.000Z'
    const options = { transport: 'email', priority: 8, scheduledAt, idempotencyKey: 'k1', headers: { a: 'b' } }
    const message = { type: 'EmailMessage', payload: { to: 'a@b.c' }, metadata: { by: 'test' } }
    const { status, body } = await post('dispatch', { message, options })
    expect(status).toBe(201)
    expect(body).toEqual({
      success: true,
      messageId: expect.any(String),
      status: 'queued',
      transport: 'email',
      queue: 'email',
      priority: 8,
      availableAt: scheduledAt,
      scheduledAt,
      idempotencyKey: 'k1',
    })
    expect(await storedMessages(database)).toMatchObject([
      { id: body.messageId, body: { to: 'a@b.c' }, headers: { a: 'b' }, metadata: { by: 'test' } },
    ])
    const again = await post('dispatch', { message, options })
    expect(again).toMatchObject({ status: 200, body: { status: 'duplicate', messageId: body.messageId } })
  })

  const message = { type: 'Any', payload: {} }
  const json = (value: unknown) => JSON.stringify(value)
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const malformed: Array<[string, string, string | undefined]> = [
    ['nothing', '', undefined],
    ['no JSON', '{', undefined],
    ['half of it', '{"message":{"type":"Any","payl', undefined],
    ['text', '"dispatch"', undefined],
    ['an array', '[]', undefined],
    ['null', 'null', undefined],
    ['a number', '1', undefined],
    ['two objects', '{}{}', undefined],
    ['no message', '{}', 'message'],
    ['a message that is null', json({ message: null }), 'message'],
    ['a message that is text', json({ message: 'Any' }), 'message'],
    ['a message that is an array', json({ message: [] }), 'message'],
    ['an unknown field', json({ message, extra: 1 }), 'extra'],
    ['an unknown field of the message', json({ message: { ...message, extra: 1 } }), 'message.extra'],
    ['no type', json({ message: { payload: {} } }), 'type'],
    ['an empty type', json({ message: { type: '', payload: {} } }), 'type'],
    ['a type that is a number', json({ message: { type: 1, payload: {} } }), 'type'],
    ['a type that is too long', json({ message: { type: 'x'.repeat(300), payload: {} } }), 'type'],
    ['no payload', json({ message: { type: 'Any' } }), 'payload'],
    ['a payload that is text', json({ message: { type: 'Any', payload: 'x' } }), 'payload'],
    ['a payload that is an array', json({ message: { type: 'Any', payload: [] } }), 'payload'],
    ['a NUL', json({ message: { type: 'Any', payload: { a: 'x\0y' } } }), 'payload.a'],
    ['a lone surrogate', '{"message":{"type":"Any","payload":{"a":"\\ud800"}}}', 'payload.a'],
    ['too deep a payload', `{"message":{"type":"Any","payload":{"a":${deep}}}}`, undefined],
    ['options that are text', json({ message, options: 'high' }), 'options'],
    ['an unknown option', json({ message, options: { prority: 1 } }), 'options.prority'],
    ['a priority of 0', json({ message, options: { priority: 0 } }), 'options.priority'],
    ['a priority of 11', json({ message, options: { priority: 11 } }), 'options.priority'],
    ['a priority that is text', json({ message, options: { priority: '5' } }), 'options.priority'],
    ['a date that is none', json({ message, options: { scheduledAt: 'tomorrow' } }), 'options.scheduledAt'],
    ['a negative delay', json({ message, options: { delay: -1 } }), 'options.delay'],
    ['an empty key', json({ message, options: { idempotencyKey: '' } }), 'options.idempotencyKey'],
    ['headers that are text', json({ message, options: { headers: 'x' } }), 'options.headers'],
    ['maxRetries of -1', json({ message, options: { maxRetries: -1 } }), 'options.maxRetries'],
    ['an unknown transport', json({ message, options: { transport: 'nowhere' } }), 'options.transport'],
    ['a queue that is empty', json({ message, options: { queue: '' } }), 'options.queue'],
  ]
  test('has more than 30 bodies to refuse', () => expect(malformed.length).toBeGreaterThan(30))

  test.each(malformed)('refuses %s', async (_, body, field) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await call('POST', 'dispatch', { body, headers })
    expect(answer.body.error).toMatchObject({ code: expect.stringMatching(/^SYMPHONY_/), message: expect.any(String) })
    expect([answer.status, field === undefined ? undefined : answer.body.error.field]).toEqual([400, field])
    expect(await countAll(database)).toBe(0)
  })

  test('refuses a body that is not UTF-8, not JSON by its type, or too large', async () => {
    const headers = { 'content-type': 'application/json' }
    const body = new Uint8Array([0x7b, 0xff, 0x7d])
    expect((await call('POST', 'dispatch', { body, headers })).status).toBe(400)
    const typed = await call('POST', 'dispatch', { body: json({ message }), headers: { 'content-type': 'text/plain' } })
    expect(typed).toMatchObject({ status: 415, body: { error: { code: 'SYMPHONY_UNSUPPORTED_MEDIA_TYPE' } } })
    const large = await post('dispatch', { message: { type: 'Any', payload: { a: 'x'.repeat(1_300_000) } } })
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'SYMPHONY_BODY_TOO_LARGE' } } })
    const over = await post('dispatch', { message: { type: 'Any', payload: { a: 'x'.repeat(1_050_000) } } })
    expect(over).toMatchObject({ status: 400, body: { error: { code: 'SYMPHONY_PAYLOAD_TOO_LARGE' } } })
    for (const field of ['headers', 'metadata']) {
      const options = { [field]: { a: 'x'.repeat(70_000) } }
      const refused = await post('dispatch', { message: { type: 'Any', payload: {} }, options })
      const error = { code: 'SYMPHONY_PAYLOAD_TOO_LARGE', message: expect.stringContaining(`options.${field}: is 70`) }
      expect(refused).toMatchObject({ status: 400, body: { error } })
    }
    expect(await countAll(database)).toBe(0)
  })

  test('stops reading a stream at the limit', async () => {
    let sent = 0
    const chunk = Buffer.alloc(64 * 1_024, 'x')
    const endless = Readable.from(
      (function* () {
        for (;;) {
          sent += chunk.length
          yield chunk
        }
      })(),
    )
    const body = Readable.toWeb(endless) as never
    expect((await call('POST', 'dispatch', { body, headers: { 'content-type': 'application/json' } })).status).toBe(413)
    expect(sent).toBeLessThan(4_000_000)
  })

  test('a payload keeps its digits on the way in, in lists, put back and on the way out', async () => {
    const payload = '{"id": 9007199254740993, "rate": 0.10, "text": "\\"payload\\": 1"}'
    const headers = { 'content-type': 'application/json' }
    const sent = await call('POST', 'dispatch', { headers, body: `{"message":{"type":"Exact","payload":${payload}}}` })
    const { messageId } = sent.body
    const text = async (path: string) => (await route.handle(request(`/api/symphony/${path}`))).text()
    // As it was sent, because it is spaced as Postgres does it.
    const stored = payload
    expect(await text(`admin/messages/${messageId}`)).toContain(`"payload":${stored}`)
    expect(await text('admin/messages?full=true')).toContain(`"payload":${stored}`)
    const [listed] = (await get('admin/messages')).body.messages
    expect(listed).toMatchObject({ payloadPreview: stored, payloadBytes: stored.length })
    expect(listed).not.toHaveProperty('payload')
    expect(await getMessage(messageId)).toMatchObject({ payloadText: stored, payload: { rate: 0.1 } })

    const registry = new HandlerRegistry()
    registry.register('Exact', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
    await consumeBatch({ registry })
    const [letter] = (await get('failed')).body.messages
    expect(letter).toMatchObject({ messageId, payloadPreview: stored, payloadBytes: stored.length })
    for (const path of [`failed/${letter.id}`, 'failed?full=true', `admin/messages/${messageId}`])
      expect(await text(path)).toContain(`"payload":${stored}`)
    const again = await post(`failed/${letter.id}/retry`)
    expect(await text(`admin/messages/${again.body.newMessageId}`)).toContain(`"payload":${stored}`)
  })

  test('a key like __proto__ in a payload stays data', async () => {
    const body = '{"message":{"type":"Any","payload":{"__proto__":{"admin":true}}}}'
    const answer = await call('POST', 'dispatch', { body, headers: { 'content-type': 'application/json' } })
    expect(answer.status).toBe(201)
    const [row] = await storedMessages(database)
    expect(JSON.stringify(row?.body)).toBe('{"__proto__":{"admin":true}}')
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('tells nothing of the inside when the server fails', async () => {
    await database.query('ALTER TABLE symphony.messenger_messages_pending RENAME TO away')
    const { status, body } = await post('dispatch', { message })
    vi.stubEnv('NODE_ENV', 'development')
    const open = await post('dispatch', { message })
    vi.unstubAllEnvs()
    await database.query('ALTER TABLE symphony.away RENAME TO messenger_messages_pending')
    expect(status).toBe(500)
    expect(body.error.code).toBe('SYMPHONY_MIGRATION_MISSING')
    expect(JSON.stringify(body)).not.toContain('messenger_')
    expect(open.body.error.message).toContain('messenger_')
  })
})

describe('POST consume', () => {
  test('drains within the limits it is given', async () => {
    registerHandler('Any', () => undefined)
    await dispatchBatch(Array.from({ length: 10 }, () => ({ type: 'Any', payload: {} })))
    const limits = { batchSize: 2, maxConcurrency: 3, timeLimit: '5s', messageLimit: 4, transport: 'supabase' }
    const { body } = await post('consume', limits)
    expect(body).toMatchObject({
      success: true,
      claimed: 4,
      stoppedBy: 'messageLimit',
      stats: { totalProcessed: 4, totalSucceeded: 4, totalFailed: 0, currentQueueDepth: 6 },
      health: { running: false, processing: 0, uptime: expect.any(Number), memoryUsage: expect.any(Number) },
    })
    expect((await call('POST', 'consume')).body).toMatchObject({ claimed: 6, drained: true })
  })

  const wrong: Array<[object, string]> = [
    [{ batchSize: 0 }, 'batchSize'],
    [{ batchSize: 1001 }, 'batchSize'],
    [{ batchSize: 1.5 }, 'batchSize'],
    [{ batchSize: '10' }, 'batchSize'],
    [{ maxConcurrency: 0 }, 'maxConcurrency'],
    [{ maxConcurrency: 101 }, 'maxConcurrency'],
    [{ timeLimit: 0 }, 'timeLimit'],
    [{ timeLimit: 'soon' }, 'timeLimit'],
    [{ timeLimit: '2h' }, 'timeLimit'],
    [{ messageLimit: 0 }, 'messageLimit'],
    [{ transport: '' }, 'transport'],
    [{ transport: 'nowhere' }, 'transport'],
    [{ transport: 'sync' }, 'transport'],
    [{ queues: ['x'] }, 'queues'],
  ]
  test.each(wrong)('refuses %j', async (json, field) => {
    registerHandler('Any', () => undefined)
    await dispatch({ type: 'Any', payload: {} })
    expect(await post('consume', json)).toMatchObject({ status: 400, body: { error: { field } } })
    expect(await storedMessages(database)).toMatchObject([{ status: 'pending' }])
  })
})

describe('figures', () => {
  test('GET status and GET queue-depth count what there is', async () => {
    await bury(1)
    registerHandler('Done', () => undefined)
    await dispatch({ type: 'Done', payload: {} })
    await consumeBatch()
    await dispatch({ type: 'Waiting', payload: {} })
    await dispatch({ type: 'Waiting', payload: {} }, { delay: '1h', transport: 'email' })
    expect((await get('status')).body).toEqual({
      success: true,
      transport: 'all',
      queue: {
        depth: 2,
        pending: 1,
        processing: 0,
        completed: 1,
        failed: 1,
        delayed: 1,
        oldestAge: expect.any(Number),
        capped: false,
      },
      failedMessages: 1,
      scheduledMessages: 0,
      timestamp: expect.stringMatching(/Z$/),
    })
    const email = { depth: 1, pending: 0, completed: 0, failed: 0, delayed: 1, oldestAge: null }
    expect((await get('status?transport=email')).body).toMatchObject({ transport: 'email', queue: email })
    expect((await get('queue-depth')).body).toMatchObject({
      depth: 2,
      queues: [
        { transport: 'supabase', queue: 'default', pending: 1 },
        { transport: 'email', queue: 'email', delayed: 1 },
      ],
    })
    expect((await get('admin/stats')).body.stats).toMatchObject({ depth: 2, completed: 1, failed: 1, cancelled: 0 })
    expect(await get('status?transport=nowhere')).toMatchObject({
      status: 400,
      body: { error: { field: 'transport' } },
    })
  })
})

describe('metrics and health', () => {
  test('tell how the queue does', async () => {
    await truncate(database, ['messenger_metrics'])
    registerHandler('Done', () => undefined)
    await dispatch({ type: 'Done', payload: {} })
    await consumeBatch()
    const { body } = await get('metrics?minutes=5')
    expect(body.metrics).toMatchObject({ totalProcessed: 1, totalSucceeded: 1, successRate: 1, failureRate: 0 })
    expect(Object.keys(body.metrics)).toEqual(
      expect.arrayContaining([
        'p50ProcessingTime',
        'p95ProcessingTime',
        'p99ProcessingTime',
        'byMessageType',
        'errors',
      ]),
    )
    const [from, to] = [Date.now() - 3_600_000, Date.now() + 60_000]
    expect((await get(`metrics?startTime=${from}&endTime=${to}`)).body.metrics.byMessageType.Done).toBeDefined()
    const one = (await get('metrics?transport=supabase')).body.metrics
    expect(one).toMatchObject({ totalProcessed: 1, queue: { depth: 0, completed: 1 } })
    const other = (await get('metrics?transport=memory')).body.metrics
    expect(other).toMatchObject({ totalProcessed: 0, queue: { depth: 0, completed: 0 } })
    const text = await route.handle(request('/api/symphony/metrics?format=prometheus'))
    expect(text.headers.get('content-type')).toContain('version=0.0.4')
    expect(await text.text()).toMatch(/^# HELP symphony_/m)
    const health = await get('health')
    expect(health.status).toBe(health.body.health.status === 'unhealthy' ? 503 : 200)
    expect(health.body.health).toMatchObject({
      status: expect.stringMatching(/^(healthy|degraded|unhealthy)$/),
      checks: expect.arrayContaining([{ name: 'errorRate', status: 'healthy', message: expect.any(String), value: 0 }]),
      timestamp: expect.any(String),
      uptime: expect.any(Number),
      metrics: { queueDepth: expect.any(Number), errorRate: expect.any(Number) },
    })
  })

  test.each([
    ['minutes=0', 'minutes'],
    ['minutes=soon', 'minutes'],
    ['minutes=5&startTime=1', 'minutes'],
    ['startTime=yesterday', 'startTime'],
    ['startTime=2026-01-02&endTime=2026-01-01', 'startTime'],
    ['format=xml', 'format'],
    ['format=prometheus&minutes=5', 'minutes'],
    ['format=prometheus&transport=supabase', 'transport'],
    ['transport=nowhere', 'transport'],
  ])('refuse ?%s', async (query, field) => {
    expect(await get(`metrics?${query}`)).toMatchObject({ status: 400, body: { error: { field } } })
  })
})

describe('dead letters', () => {
  test('are listed in pages, by offset and by cursor', async () => {
    await bury(5)
    const numbers = ({ body }: { body: { messages: Array<{ payloadPreview: string }> } }) =>
      body.messages.map(({ payloadPreview }) => JSON.parse(payloadPreview).n)
    const first = await get('failed?limit=2')
    expect(numbers(first)).toEqual([4, 3])
    expect(first.body.pagination).toEqual({
      total: 5,
      capped: false,
      limit: 2,
      offset: 0,
      hasMore: true,
      nextCursor: expect.any(String),
      searchedTo: null,
    })
    expect(numbers(await get(`failed?limit=2&cursor=${first.body.pagination.nextCursor}`))).toEqual([2, 1])
    const second = await get('failed?limit=2&offset=3')
    expect(numbers(second)).toEqual([1, 0])
    expect(second.body.pagination).toMatchObject({ total: 5, offset: 3, hasMore: false, nextCursor: null })
    expect(numbers(await get('failed?offset=5'))).toEqual([])
    expect(numbers(await get('failed?offset=9'))).toEqual([])
    expect(await get('failed?type=Other')).toMatchObject({ body: { messages: [], pagination: { total: 0 } } })
  })

  const wrong: Array<[string, string]> = [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=many', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['offset=-1', 'offset'],
    ['offset=10001', 'offset'],
    ['cursor=x', 'cursor'],
    ['offset=1&cursor=x', 'offset'],
    ['failedAfter=yesterday', 'failedAfter'],
    ['text=a%00b', 'text'],
    ['tpye=Email', 'tpye'],
    ['__proto__=x', '__proto__'],
  ]
  test.each(wrong)('refuse ?%s', async (query, field) => {
    expect(await get(`failed?${query}`)).toMatchObject({ status: 400, body: { error: { field } } })
  })

  test('are shown, put back and deleted one by one', async () => {
    await bury(2)
    const [second, first] = (await listFailed()).messages
    expect((await get(`failed/${first?.id}`)).body.message).toMatchObject({ id: first?.id, error: 'no' })
    const { body } = await call('POST', `failed/${first?.id}/retry`)
    expect(body).toEqual({
      success: true,
      newMessageId: expect.any(String),
      originalFailedMessageId: first?.id,
      transport: 'supabase',
    })
    expect((await getMessage(body.newMessageId))?.status).toBe('pending')
    expect((await call('POST', `failed/${first?.id}/retry`)).status).toBe(404)
    expect((await call('DELETE', `failed/${second?.id}`)).body).toEqual({ success: true, removed: 1 })
    for (const id of [second?.id, 'no-id', '%00', '..%2F..']) expect((await get(`failed/${id}`)).status).toBe(404)
  })

  test('are put back and deleted by a filter, and all of them only on demand', async () => {
    await bury(2, 'A')
    await bury(1, 'B')
    for (const method of ['POST', 'DELETE']) {
      const path = method === 'POST' ? 'failed/retry' : 'failed'
      for (const json of [undefined, {}, { all: false }, { all: true, type: 'A' }, { tpye: 'A' }, { type: null }]) {
        expect((await call(method, path, { json })).status).toBe(400)
      }
    }
    expect((await listFailed()).messages).toHaveLength(3)
    const { body } = await post('failed/retry', { type: 'A' })
    expect(body).toMatchObject({ retried: 2, messages: [{ newMessageId: expect.any(String) }, {}] })
    expect((await call('DELETE', 'failed?type=C')).body).toEqual({ success: true, removed: 0 })
    expect((await call('DELETE', 'failed', { json: { all: true } })).body).toEqual({ success: true, removed: 1 })
  })
})

describe('messages', () => {
  test('are listed, found and cancelled', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'ada@example.com' } }, { priority: 9 })
    await dispatch({ type: 'Other', payload: {} })
    const { body } = await get('admin/messages?text=ADA&priority=9&status=pending&limit=5')
    expect(body.messages).toMatchObject([{ id: messageId, type: 'Mail', status: 'pending', scheduledAt: null }])
    expect(body.pagination).toEqual({ limit: 5, hasMore: false, nextCursor: null, searchedTo: null })
    const one = (await get('admin/messages?limit=1')).body
    expect(one).toMatchObject({ messages: [{ type: 'Other' }], pagination: { hasMore: true, searchedTo: null } })
    expect((await call('POST', `admin/messages/${messageId}/cancel`)).body).toEqual({
      success: true,
      messageId,
      status: 'cancelled',
    })
    expect((await get(`admin/messages/${messageId}`)).body.message).toMatchObject({ status: 'cancelled' })
    expect(await call('POST', `admin/messages/${messageId}/cancel`)).toMatchObject({
      status: 409,
      body: { error: { code: 'SYMPHONY_CONFLICT', message: expect.stringContaining('is cancelled already') } },
    })
    expect((await call('POST', 'admin/messages/nothing/cancel')).status).toBe(404)
    expect((await get('admin/messages/nothing')).status).toBe(404)
  })

  test('and dead letters are found by a query; one that cannot be read is refused with its place', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { user: { id: 7 } } })
    await dispatch({ type: 'Mail', payload: { user: { id: 8 } } })
    const query = encodeURIComponent('type:M* payload.user.id:<8')
    expect((await get(`admin/messages?query=${query}`)).body.messages).toMatchObject([{ id: messageId }])
    expect((await get(`failed?query=${query}`)).body).toMatchObject({ messages: [], pagination: { total: 0 } })
    const refused = {
      status: 400,
      body: {
        error: {
          code: 'SYMPHONY_INVALID_QUERY',
          field: 'query',
          message: expect.stringContaining('did you mean "type"'),
          details: { character: 8, length: 3 },
        },
      },
    }
    for (const path of ['admin/messages', 'failed']) {
      expect(await get(`${path}?query=${encodeURIComponent('key:xy typ:Mail')}`)).toMatchObject(refused)
    }
    expect(await call('DELETE', 'failed', { json: { query: 'key:xy typ:Mail' } })).toMatchObject(refused)
    expect((await call('DELETE', 'failed', { json: { query: ' ' } })).status).toBe(400)
  })

  test('that are being handled are not cancelled', async () => {
    const { messageId } = await dispatch({ type: 'Slow', payload: {} })
    let answer: unknown
    registerHandler('Slow', async () => {
      answer = await call('POST', `admin/messages/${messageId}/cancel`)
    })
    await consumeBatch()
    expect(answer).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('handled') } } })
    expect((await getMessage(messageId))?.status).toBe('completed')
  })

  test.each(['status=failed', 'priority=0', 'priority=11', 'cursor=x', 'createdAfter=1', 'page=2'])(
    'refuse ?%s, or not',
    async (query) => {
      expect((await get(`admin/messages?${query}`)).status).toBe(query === 'createdAfter=1' ? 200 : 400)
    },
  )
})

describe('schedules', () => {
  test('are listed, paused, resumed, run and deleted', async () => {
    for (const name of ['daily report', 'a/b', 'z']) {
      await schedule({ type: 'Report', payload: { name } }, { cron: '0 9 * * *' }, { name })
    }
    const { body } = await get('schedules?limit=2')
    expect(body.schedules.map((it: { name: string }) => it.name)).toEqual(['a/b', 'daily report'])
    expect(body.pagination).toEqual({ limit: 2, hasMore: true, after: 'daily report' })
    expect((await get('schedules?after=daily%20report')).body.schedules).toMatchObject([{ name: 'z' }])
    const path = 'schedules/daily%20report'
    expect((await call('POST', `${path}/pause`)).body.schedule).toMatchObject({ status: 'paused', nextRunAt: null })
    expect((await get('status')).body.scheduledMessages).toBe(2)
    expect((await call('POST', `${path}/resume`)).body.schedule).toMatchObject({ status: 'active' })
    const ran = await call('POST', `${path}/run`)
    expect((await getMessage(ran.body.messageId))?.payload).toEqual({ name: 'daily report' })
    expect((await get(path)).body.schedule).toMatchObject({ name: 'daily report', cron: '0 9 * * *' })
    expect((await call('DELETE', 'schedules/a%2Fb')).body).toEqual({ success: true, removed: 1 })
    for (const [method, rest] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
    ]) {
      expect((await call(method as string, `schedules/none${rest}`)).status).toBe(404)
    }
  })
})

describe('paths', () => {
  test('that do not exist answer 404, wrong methods 405', async () => {
    for (const path of ['nothing', 'failed/a/b/c', 'Dispatch']) expect((await get(path)).status).toBe(404)
    const response = await route.handle(request('/api/symphony/failed/retry', { method: 'GET' }))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    const both = await route.handle(request('/api/symphony/failed', { method: 'PATCH' }))
    expect(both.headers.get('allow')).toBe('DELETE, GET')
  })

  test('are what the catch-all of Next.js caught, wherever it stands', async () => {
    const context = { params: Promise.resolve({ tenant: 't1', rest: ['queue-depth'] }) }
    expect((await route.GET(request('/base/t1/jobs/queue-depth'), context)).status).toBe(200)
    const elsewhere = createSymphonyRoute({ authorize: () => true, basePath: '/jobs' })
    expect((await elsewhere.handle(request('/jobs/status'))).status).toBe(200)
    expect((await elsewhere.handle(request('/api/symphony/status'))).status).toBe(404)
  })
})

test('a browser over a real connection finds the endpoints', async () => {
  const server = createServer(async (incoming, outgoing) => {
    const init = { method: incoming.method, headers: incoming.headers as Record<string, string>, duplex: 'half' }
    const body = incoming.method === 'POST' ? (Readable.toWeb(incoming) as never) : undefined
    const response = await route.handle(
      new Request(`http://localhost${incoming.url}`, { ...init, body } as RequestInit),
    )
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as { port: number }).port}/api/symphony`
  const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json', connection: 'close' }
  const body = JSON.stringify({ message: { type: 'Any', payload: { a: 1 } } })
  const dispatched = await fetch(`${base}/dispatch`, { method: 'POST', headers, body })
  expect([dispatched.status, dispatched.headers.get('cache-control')]).toEqual([201, 'no-store'])
  expect(await (await fetch(`${base}/status`, { headers })).json()).toMatchObject({ queue: { pending: 1 } })
  server.close()
})
