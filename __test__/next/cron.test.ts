import { createServer } from 'node:http'
import { dispatchBatch, getRegistry, registerHandler, schedule } from '@leadmap/symphony'
import { createSchedulerRoute, createWorkerRoute } from '@leadmap/symphony/next'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { read, request, SECRET } from './support.js'

const database = await createQueue()
beforeEach(async () => {
  await emptyTables(database)
  getRegistry().clear()
  vi.stubEnv('CRON_SECRET', SECRET)
})

afterEach(() => vi.unstubAllEnvs())

const worker = createWorkerRoute({ maxDuration: 60 })
const scheduler = createSchedulerRoute({ maxDuration: 60 })
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'Numbered', payload: { n } }))
const pending = async () => (await storedMessages(database)).filter(({ status }) => status === 'pending').length

describe.each([
  ['the worker route', worker, createWorkerRoute],
  ['the scheduler route', scheduler, createSchedulerRoute],
])('%s', (_, route, make) => {
  const wrong: Array<[string, string]> = [
    ['no secret', ''],
    ['a wrong one', 'another-secret-of-forty-characters-00000'],
    ['one that differs in the last character', `${SECRET.slice(0, -1)}S`],
    ['one that goes on', `${SECRET}s`],
    ['the beginning of it', SECRET.slice(0, -1)],
  ]
  test.each(wrong)('answers 401 to %s, and does nothing', async (_, token) => {
    registerHandler('Numbered', () => undefined)
    await dispatchBatch(many(3))
    for (const method of ['GET', 'POST'] as const) {
      const answer = await read(route[method](request('/api/cron', { method, token })))
      expect(answer).toEqual({
        status: 401,
        body: { success: false, error: { code: 'SYMPHONY_UNAUTHORIZED', message: 'not authorized' } },
      })
    }
    expect(await pending()).toBe(3)
  })

  test('is closed where no secret is set, also to an empty one', async () => {
    for (const value of [undefined, '']) {
      vi.stubEnv('CRON_SECRET', value)
      const open = new Request('https://app.example.com/', { headers: { authorization: 'Bearer ' } })
      expect((await route.GET(open)).status).toBe(401)
      expect((await route.GET(request('/', { token: 'undefined' }))).status).toBe(401)
    }
  })

  test('says in production, in one line of the log, that nobody can open it', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    onTestFinished(() => warn.mockRestore())
    vi.stubEnv('NODE_ENV', 'production')
    registerHandler('Numbered', () => undefined)
    const [fresh, own] = [make({}), make({ authorize: () => false })]
    await fresh.GET(request('/'))
    expect(warn).not.toHaveBeenCalled()
    vi.stubEnv('CRON_SECRET', '')
    for (const one of [fresh, fresh, own]) await one.GET(request('/'))
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/answers 401 to everyone. Set CRON_SECRET in the env/)]])
  })

  test('says in development how to open it', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    const { body } = await read(route.GET(request('/', { token: '' })))
    expect(body.error.message).toContain('CRON_SECRET')
  })

  test('is not cached', async () => {
    for (const token of [SECRET, '']) {
      expect((await route.GET(request('/', { token }))).headers.get('cache-control')).toBe('no-store')
    }
  })

  test('knows two methods', async () => {
    const response = await route.handle(request('/', { method: 'PUT' }))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })
})

test('one call drains what waits, and says what it did', async () => {
  registerHandler('Numbered', (message) => {
    if (message.payload.n === 0) throw Object.assign(new Error('no'), { status: 400 })
  })
  await dispatchBatch(many(25))
  expect(await read(worker.GET(request('/api/cron/symphony-worker')))).toEqual({
    status: 200,
    body: {
      success: true,
      claimed: 25,
      succeeded: 24,
      deadLettered: 1,
      retried: 0,
      released: 0,
      snoozed: 0,
      discarded: 0,
      lost: 0,
      duration: expect.any(Number),
      queueDepth: 0,
      drained: true,
      stoppedBy: 'empty',
      stats: {
        totalProcessed: 25,
        totalSucceeded: 24,
        totalFailed: 1,
        averageProcessingTime: expect.any(Number),
        currentQueueDepth: 0,
      },
      health: { running: false, processing: 0, uptime: expect.any(Number), memoryUsage: expect.any(Number) },
    },
  })
})

test('ten calls at once handle every message once', async () => {
  const seen = new Map<unknown, number>()
  registerHandler('Numbered', ({ payload: { n } }) => {
    seen.set(n, (seen.get(n) ?? 0) + 1)
  })
  await dispatchBatch(many(500))
  const answers = await Promise.all(Array.from({ length: 10 }, () => read(worker.GET(request('/api/cron')))))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(answers.reduce((sum, { body }) => sum + body.succeeded, 0)).toBe(500)
  expect([...seen.values()]).toEqual(Array(500).fill(1))
})

test('`authorize` lets others in, unless another site made their browser ask', async () => {
  const route = createWorkerRoute({ authorize: (asked) => asked.headers.get('cookie') === 'admin' })
  const asked = (headers: Record<string, string>) => route.GET(request('/', { token: '', headers }))
  expect((await asked({ cookie: 'admin' })).status).toBe(200)
  expect((await asked({ cookie: 'user' })).status).toBe(401)
  expect((await asked({ cookie: 'admin', 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  expect((await asked({ cookie: 'admin', 'sec-fetch-site': 'cross-site' })).status).toBe(403)
})

test('an `authorize` that fails opens nothing', async () => {
  const route = createWorkerRoute({ authorize: () => Promise.reject(new Error('the session store is away')) })
  expect(await read(route.GET(request('/', { token: '' })))).toMatchObject({
    status: 500,
    body: { success: false, error: { code: 'SYMPHONY_INTERNAL' } },
  })
})

test('ten calls at once run every schedule once', async () => {
  await database.query('DELETE FROM symphony.messenger_schedules')
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await schedule({ type: 'Planned', payload: { name } }, { at: new Date(Date.now() - 1_000) }, { name })
  }
  const answers = await Promise.all(Array.from({ length: 10 }, () => read(scheduler.GET(request('/api/cron')))))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(answers.reduce((sum, { body }) => sum + body.dispatched, 0)).toBe(5)
  const names = (await storedMessages(database)).map(({ body }) => body.name)
  expect(names.sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(answers[0]?.body).toMatchObject({ success: true, cleanup: { completed: 0 } })
})

test('options that do not fit are refused where the route is made', () => {
  expect(() => createWorkerRoute({ batchSize: 0 })).toThrow('options.batchSize: got 0')
  expect(() => createWorkerRoute({ maxDuration: 0 })).toThrow('options.maxDuration: got 0')
  expect(() => createWorkerRoute({ maxduration: 60 } as object)).toThrow('did you mean "maxDuration"?')
})

test('the routes work on a plain HTTP server', async () => {
  registerHandler('Numbered', () => undefined)
  await dispatchBatch(many(5))
  const server = createServer(async (incoming, outgoing) => {
    const headers = new Headers(incoming.headers as Record<string, string>)
    const response = await worker.handle(new Request(`http://localhost${incoming.url}`, { headers }))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const headers = { authorization: `Bearer ${SECRET}`, connection: 'close' }
  const response = await fetch(`http://127.0.0.1:${port}/api/cron/symphony-worker`, { headers })
  expect(await response.json()).toMatchObject({ success: true, succeeded: 5 })
  server.close()
})

describe('an execution that is named', () => {
  const deliver = (executionId: string, extra = {}) =>
    read(worker.POST(request('/', { method: 'POST', json: { executionId, ...extra } })))

  test('drains once, however often it is delivered', async () => {
    registerHandler('Numbered', () => undefined)
    await dispatchBatch(many(20))
    const first = await Promise.all([deliver('run-1'), deliver('run-1', { scheduledAt: '2026-11-21T10:00:00Z' })])
    const again = await deliver('run-1')
    const ran = first.filter(({ body }) => body.success && body.duplicate === undefined)
    expect(ran).toMatchObject([{ status: 200, body: { success: true, executionId: 'run-1', succeeded: 20 } }])
    expect(again).toEqual({ status: 200, body: { success: true, duplicate: true, executionId: 'run-1' } })
    await dispatchBatch(many(1))
    expect((await deliver('run-1')).body.duplicate).toBe(true)
    expect((await deliver('run-2')).body.succeeded).toBe(1)
  })

  test('is not called done while it only runs: the trigger is asked to deliver it again, and when', async () => {
    let meanwhile: Response | undefined
    registerHandler('Numbered', async () => {
      meanwhile = await worker.POST(request('/', { method: 'POST', json: { executionId: 'run-1' } }))
    })
    await dispatchBatch(many(1))
    expect((await deliver('run-1')).body.succeeded).toBe(1)
    expect(meanwhile?.status).toBe(503)
    // The drain's 54 s and 15 s more.
    const seconds = Number(meanwhile?.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(69)
    expect(await meanwhile?.json()).toMatchObject({
      success: false,
      error: { code: 'SYMPHONY_EXECUTION_RUNNING', message: expect.stringContaining('"run-1"'), field: 'executionId' },
    })
    expect((await deliver('run-1')).body.duplicate).toBe(true)
  })

  test('that was replaced tells nothing of the run that replaced it', async () => {
    const expire = () => database.query("UPDATE symphony.messenger_executions SET lease_until = now() - interval '1 s'")
    const answers: number[] = []
    let runs = 0
    registerHandler('Numbered', async () => {
      runs += 1
      if (runs > 1) return void answers.push((await deliver('run-1')).status)
      // The first run is taken for dead, and ends while the second one is at it.
      await expire()
      await dispatchBatch(many(1))
      answers.push((await deliver('run-1')).status)
      await database.query('UPDATE symphony.messenger_executions SET finished_at = NULL')
    })
    await dispatchBatch(many(1))
    expect((await deliver('run-1')).status).toBe(200)
    expect(answers).toEqual([503, 200])
    const rows = await database.query(
      'SELECT finished_at, lease_until > now() AS leased FROM symphony.messenger_executions',
    )
    expect(rows).toEqual([{ finished_at: null, leased: true }])
  })

  test('may be named in a header, and is another one for another route', async () => {
    const headers = { 'x-execution-id': 'run-1' }
    expect((await read(worker.POST(request('/', { method: 'POST', headers })))).body.duplicate).toBeUndefined()
    expect((await read(worker.POST(request('/', { method: 'POST', headers })))).body.duplicate).toBe(true)
    expect((await read(scheduler.POST(request('/', { method: 'POST', headers })))).body.duplicate).toBeUndefined()
  })

  test('that failed runs again', async () => {
    await database.query('ALTER TABLE symphony.messenger_messages_pending RENAME TO away')
    registerHandler('Numbered', () => undefined)
    expect((await deliver('run-3')).status).toBe(500)
    await database.query('ALTER TABLE symphony.away RENAME TO messenger_messages_pending')
    await dispatchBatch(many(1))
    expect((await deliver('run-3')).body).toMatchObject({ succeeded: 1 })
  })

  test('whose process died runs again once its time is over', async () => {
    registerHandler('Numbered', () => undefined)
    const insert =
      'INSERT INTO symphony.messenger_executions (route, execution_id, lease_until) VALUES ($1, $2, now() + $3::interval)'
    await database.query(insert, ['worker', 'alive', '1 minute'])
    await database.query(insert, ['worker', 'dead', '-1 second'])
    const alive = await worker.POST(request('/', { method: 'POST', json: { executionId: 'alive' } }))
    expect([alive.status, Number(alive.headers.get('retry-after')) > 30]).toEqual([503, true])
    expect((await deliver('dead')).body.drained).toBe(true)
  })

  test.each([{ executionId: '' }, { executionId: 7 }, { executionId: 'x'.repeat(256) }, { executionId: 'a\0b' }])(
    'must have a name: %j',
    async (json) => {
      const answer = await read(worker.POST(request('/', { method: 'POST', json })))
      expect(answer).toMatchObject({ status: 400, body: { error: { field: 'executionId' } } })
    },
  )
})
