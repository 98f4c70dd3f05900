/** Commands that look, on a real queue: what they print, for people and for programs. */
import { consumeBatch, dispatch, registerHandler, schedule } from '@leadmap/symphony'
import { getFailed, listAudit, listFailed } from '@leadmap/symphony/admin'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createQueue } from '../support/symphony.js'
import { createProject } from './support.js'

const TRANSPORTS = { email: { type: 'postgres', queue: 'mails' }, off: { type: 'postgres', enabled: false } }

const config = { transports: TRANSPORTS, routing: { Mail: 'email' }, health: { warning: { deadLetters: 1 } } }

const database = await createQueue({ transports: TRANSPORTS })
const project = createProject(
  { 'symphony.config.mjs': `export default ${JSON.stringify(config)}` },
  { SYMPHONY_DATABASE_URL: database.url },
)

const waiting: string[] = []

beforeAll(async () => {
  registerHandler('Mail', (message) => {
    if ((message.payload as { to?: string }).to !== 'ada') throw new TypeError('no such mailbox')
  })
  for (const to of ['ada', 'bob', 'bob', 'bob']) {
    await dispatch({ type: 'Mail', payload: { to } }, { transport: 'email', maxRetries: 0 })
  }
  await consumeBatch()
  for (const delay of [0, 3_600_000]) {
    const { messageId } = await dispatch({ type: 'Report', payload: { large: 1 } }, { delay })
    waiting.push(messageId)
  }
  await schedule({ type: 'Report', payload: {} }, { cron: '0 9 * * *', timezone: 'Europe/London' }, { name: 'report' })
})

/** Runs a command that must succeed; the words on the head line are not asked about again. */
async function printed(...words: string[]): Promise<string> {
  const { stdout, stderr, code } = await project.run(words)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout
}

async function parsed<T>(schema: z.ZodType<T>, ...words: string[]): Promise<T> {
  const { stdout, stderr, code } = await project.run([...words, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return schema.parse(JSON.parse(stdout))
}

const instant = z.iso.datetime()

test('the head line says which queue this is, on stderr and without the password', async () => {
  const { stderr } = await project.run(['stats'])
  expect(stderr).toMatch(/^acme · development · symphony_test_\w+@127\.0\.0\.1:\d+\n$/)
  const { stderr: other } = await project.run(['migrate', 'status', '--env', 'staging', '--schema', 'other'])
  expect(other).toMatch(/^acme · staging · .* · schema other\n$/)
  expect((await project.run(['stats', '-q'])).stderr).toBe('')
})

describe('stats', () => {
  test('for people', async () => {
    const text = await printed('stats')
    expect(text).toMatch(/^TRANSPORT\/QUEUE +DUE +DELAYED +RUNNING +OLDEST +RUNS 1H +P95 1H +DEAD 1H\n/)
    expect(text).toMatch(/^supabase\/default +1 +1 +– /m)
    expect(text).toMatch(/^3 dead letters · 1 schedule$/m)
  })

  test('for programs', async () => {
    const Queue = z.object({ transport: z.string(), queue: z.string(), pending: z.int(), delayed: z.int() })
    const { queue } = await parsed(
      z.object({ startTime: instant, queue: z.object({ failed: z.int(), queues: z.array(Queue) }) }),
      'stats',
    )
    expect(queue.failed).toBe(3)
    expect(queue.queues).toContainEqual({ transport: 'supabase', queue: 'default', pending: 1, delayed: 1 })
  })

  test('of one transport; of none that does not exist', async () => {
    expect(await printed('stats', 'email')).not.toContain('supabase')
    const { code, stderr } = await project.run(['stats', 'emial'])
    expect(code).toBe(4)
    expect(stderr).toContain('SYMPHONY_UNKNOWN_TRANSPORT')
  })

  test.each([
    ['pending=1', 0],
    ['pending=0', 1],
    ['failed=2', 1],
    ['oldest=2h', 0],
  ])('--fail-over %s exits with %d', async (limit, code) => {
    const ended = await project.run(['stats', '--fail-over', limit])
    expect(ended.code).toBe(code)
    expect(ended.stdout).toContain('TRANSPORT/QUEUE')
  })
})

describe('list', () => {
  test('for people', async () => {
    const text = await printed('list')
    expect(text.split('\n')).toHaveLength(5)
    expect(text).toMatch(new RegExp(`^${waiting[1]} +Report +delayed +supabase/default +5 .* in 59 min`, 'm'))
    expect(text).toMatch(new RegExp(`^${waiting[0]} +Report +pending`, 'm'))
    expect(text).toMatch(/Mail +completed +email\/mails/)
  })

  test('filters, and says when nothing matches', async () => {
    expect(await printed('list', '--type', 'Report', '--ids')).toBe(`${[...waiting].reverse().join('\n')}\n`)
    const { stdout, stderr } = await project.run(['list', '--status', 'cancelled'])
    expect(stdout).toBe('')
    expect(stderr).toContain('no message matches')
  })

  test('goes on where it stopped', async () => {
    const Page = z.object({ messages: z.array(z.object({ id: z.uuid(), createdAt: instant })), nextCursor: z.string() })
    const { messages, nextCursor } = await parsed(Page, 'list', '--limit', '1')
    expect(messages.map(({ id }) => id)).toEqual([waiting[1]])
    const next = await printed('list', '-n', '1', '--cursor', nextCursor, '--json=lines')
    expect(next.split('\n')).toHaveLength(2)
    expect(JSON.parse(next)).toMatchObject({ id: waiting[0], payloadPreview: '{"large": 1}' })
  })
})

describe('show', () => {
  test('a message', async () => {
    const text = await printed('show', waiting[1] as string)
    expect(text).toMatch(/^id +\S+\ntype +Report\nstatus +delayed\n/)
    expect(text).toContain('"large": 1')
  })

  test('a dead letter, with the run that failed and where', async () => {
    const [letter] = (await listFailed()).messages
    const text = await printed('show', letter?.id as string)
    expect(text).toMatch(/^error +TypeError: no such mailbox$/m)
    expect(text).toMatch(/^ {2}at .*read\.test/m)
    const withoutAges = (shown: string): string => shown.replaceAll(/ \(.* ago\)/g, '')
    expect(withoutAges(await printed('failed', 'show', letter?.id as string))).toBe(withoutAges(text))
    const json = JSON.parse(await printed('failed', 'show', letter?.id as string, '--json'))
    expect(json).toEqual(JSON.parse(JSON.stringify(await getFailed(letter?.id as string))))
  })

  test.each([['show'], ['failed', 'show']])('%s %s of what is not there exits with 4', async (...words) => {
    const { code, stdout } = await project.run([...words.filter(Boolean), '019a7c1e-0000-7000-8000-000000000000'])
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
  })
})

describe('failed', () => {
  test('lists, and counts what matches', async () => {
    const { stdout, stderr } = await project.run(['failed', '-n', '2'])
    expect(stdout.match(/ Mail +email\/mails .* TypeError no such mailbox$/gm)).toHaveLength(2)
    expect(stderr).toMatch(/^3 dead letters match\nmore follow: --cursor \S+$/m)
    expect(await printed('failed', '--error', 'RangeError')).toBe('')
    expect(await printed('messenger:failed:show', '--ids')).toBe(await printed('failed', 'list', '--ids'))
  })

  test('exports every one as a line of JSON', async () => {
    const lines = (await printed('failed', 'export', '--type', 'Mail')).trim().split('\n')
    const { messages } = await listFailed({ full: true })
    const whole = messages.map(({ payloadText: _, ...message }) => JSON.parse(JSON.stringify(message)))
    expect(lines.map((line) => JSON.parse(line))).toEqual(whole)
  })
})

describe('a query', () => {
  test('selects messages and dead letters', async () => {
    expect(await printed('list', 'type:Report created:>-1h', '--ids')).toBe(`${[...waiting].reverse().join('\n')}\n`)
    expect(await printed('failed', 'payload.to:bob error:"no such"', '--ids')).toBe(await printed('failed', '--ids'))
    expect(await printed('failed', 'list', 'payload.to:ada')).toBe('')
    expect(await printed('failed', 'export', 'type:None')).toBe('')
  })

  test.each([['list'], ['failed', 'list'], ['failed', 'export']])(
    'that is wrong is wrong usage: %s %s',
    async (...words) => {
      const { code, stderr } = await project.run([...words.filter(Boolean), 'typ:Mail'])
      expect(code).toBe(2)
      expect(stderr).toContain('did you mean')
    },
  )
})

describe('who is at work, and what was', () => {
  const Worker = z.object({ id: z.uuid(), host: z.string(), pid: z.int(), inFlight: z.int(), alive: z.boolean() })
  const Depth = z.object({ minute: instant, pending: z.int(), delayed: z.int(), processing: z.int() })
  const Errors = z.object({
    type: z.string(),
    class: z.string(),
    occurrences: z.int(),
    state: z.enum(['open', 'ignored']),
  })
  const Key = z.object({ idempotencyKey: z.string(), transport: z.string(), refused: z.int(), firstSeenAt: instant })
  const Release = z.object({ release: z.string(), version: z.string(), firstAt: instant })

  beforeAll(async () => {
    await database.query(
      `INSERT INTO symphony.messenger_workers (id, host, pid, kind, concurrency, transports, lease_until, release)
       VALUES (gen_random_uuid(), 'web-7', 41, 'worker', 20, '{email}', now() + interval '1 hour', 'v7')`,
    )
    await database.query(
      `INSERT INTO symphony.messenger_depths VALUES (date_trunc('minute', now()), '', '', 7, 2, 1, 5000, false)
       ON CONFLICT (minute, transport_name, queue_name) DO UPDATE SET pending = 7`,
    )
    await database.query(`INSERT INTO symphony.messenger_releases VALUES ('v7', '0.1.0', now())`)
    for (let n = 0; n < 3; n += 1)
      await dispatch({ type: 'Mail', payload: {} }, { idempotencyKey: 'welcome/1', delay: '1h' })
  })

  test.each<[string, RegExp, z.ZodType]>([
    ['workers', /^\S+ +web-7 +41 +worker .* 0 of 20 +email +v7$/m, Worker],
    ['depths', /^\S+ +7 +/m, Depth],
    ['errors', /^Mail +TypeError +3 .* open +–$/m, Errors],
    ['duplicates', /^welcome\/1 +Mail +supabase|email +2 /m, Key],
    ['releases', /^v7 +0\.1\.0 +/m, Release],
  ])('%s, for people and for programs', async (name, row, Thing) => {
    expect(await printed(name)).toMatch(row)
    await parsed(z.array(Thing).min(1), name)
    const lines = (await printed(name, '--ndjson')).trim().split('\n')
    for (const line of lines) Thing.parse(JSON.parse(line))
    expect(await printed(name, '--json=lines')).toBe(`${lines.join('\n')}\n`)
  })

  test('errors are judged, and the audit says by whom', async () => {
    expect(
      await project.run(['errors', 'ignore', 'Mail', 'TypeError', '--note', 'known', '--reason', 'r']),
    ).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('TypeError of Mail is ignored'),
    })
    expect(await printed('errors', 'list', '--state', 'ignored')).toMatch(/ignored +known$/m)
    expect(await printed('errors', '--state', 'open')).toBe('')
    expect((await listAudit()).entries).toMatchObject([
      { action: 'judgeErrors', reason: 'r', actor: expect.any(String) },
    ])
    const { stdout } = await project.run(['errors', 'open', 'Mail', 'TypeError', '--json'])
    expect(JSON.parse(stdout)).toEqual({ type: 'Mail', class: 'TypeError', state: 'open', note: null })
  })

  test.each([
    [['errors', 'resolve', 'Mail', 'Never'], 4],
    [['errors', 'resolve', 'Mail'], 2],
    [['errors', '--state', 'odd'], 2],
    [['depths', '--queue', 'mails'], 2],
    [['depths', '--transport', 'emial'], 4],
    [['duplicates', '--until', 'soon'], 2],
  ])('%j exits with %d', async (words, code) => {
    expect(await project.run(words)).toMatchObject({ code, stdout: '' })
  })
})

describe('schedules', () => {
  test('lists', async () => {
    expect(await printed('schedules')).toMatch(/^report +0 9 \* \* \* Europe\/London +Report +in .* – +– +–$/m)
    const [one] = await parsed(z.array(z.object({ name: z.string(), nextRunAt: instant })), 'schedules')
    expect(one?.name).toBe('report')
  })

  test('the next runs of one, and of an expression', async () => {
    const runs = await parsed(z.array(instant), 'schedules', 'next', 'report', '-n', '3')
    expect(runs).toHaveLength(3)
    const text = await printed('schedules', 'next', '0 9 * * *', '--timezone', 'Europe/London', '-n', '3')
    for (const run of runs) expect(text).toContain(run)
    expect(text).toContain('09:00:00')
  })

  test.each([
    ['nothing', 4],
    ['61 * * * *', 2],
  ])('next %s exits with %d', async (subject, code) => {
    expect((await project.run(['schedules', 'next', subject])).code).toBe(code)
  })
})

test('metrics, by type and by transport, as JSON and for Prometheus', async () => {
  expect(await printed('metrics')).toMatch(/^Mail +4 +1 +– +3 +75 % /m)
  expect(await printed('metrics', '--by', 'transport', '--since', '2h')).toMatch(/^email +4 /m)
  expect(await printed('metrics')).toMatch(/^TypeError +3 .* Mail$/m)
  const { byMessageType } = await parsed(
    z.object({ byMessageType: z.record(z.string(), z.object({ totalProcessed: z.int() })) }),
    'metrics',
  )
  expect(byMessageType.Mail?.totalProcessed).toBe(4)
  expect(await printed('metrics', '--prometheus')).toMatch(/^# TYPE symphony_/m)
  expect((await project.run(['metrics', '--prometheus', '--json'])).code).toBe(2)
})

describe('health and doctor', () => {
  const Findings = z.object({
    status: z.literal('warning'),
    findings: z.array(
      z.object({ check: z.string(), severity: z.enum(['ok', 'warning', 'error']), message: z.string() }),
    ),
  })

  test.each(['health', 'doctor'])('%s: a warning is 0, and 6 for who is strict', async (name) => {
    const text = await printed(name)
    expect(text).toMatch(/^! deadLetters: .*\n {2}→ /m)
    expect(text).toMatch(/^✓ .*migrations/m)
    expect(await printed(name, '--verbose')).toMatch(/^✓ migrations: /m)
    await parsed(Findings, name)
    expect((await project.run([name, '--strict'])).code).toBe(6)
  })

  test('no database: health fails, everything else cannot be used', async () => {
    const env = { SYMPHONY_DATABASE_URL: 'postgres://ada:hidden@127.0.0.1:1/none' }
    const health = await project.run(['health'], { env })
    expect(health.code).toBe(1)
    const stats = await project.run(['stats'], { env })
    expect(stats.code).toBe(3)
    expect(stats.stderr).toContain('SYMPHONY_CONNECTION_FAILED')
    expect(health.stdout + health.stderr + stats.stderr).not.toContain('hidden')
  })

  test('waiting messages without a handler, for who says where the handlers are', async () => {
    project.write(
      'handlers.mjs',
      "import { registerHandler } from '@leadmap/symphony'\nregisterHandler('Mail', () => {})",
    )
    expect(await printed('doctor')).not.toMatch(/^! unhandledTypes/m)
    expect(await printed('doctor', '--handlers', 'handlers.mjs')).toMatch(/^! unhandledTypes: .*Report/m)
  })
})

describe('config', () => {
  test('what is in force, and where it comes from', async () => {
    project.write('.env.local', 'SYMPHONY_WORKER_BATCH_SIZE=7\n')
    const text = await printed('config', '--show-origin', '--schema', 'other')
    expect(text).toMatch(/^routing\.Mail +\["email"\] +symphony\.config\.mjs$/m)
    expect(text).toMatch(/^worker\.batchSize +7 +SYMPHONY_WORKER_BATCH_SIZE, \.env\.local$/m)
    expect(text).toMatch(/^database\.schema +other +SYMPHONY_DATABASE_SCHEMA, --schema$/m)
    expect(text).toMatch(/^worker\.lease +30 s +default$/m)
    expect(text).not.toContain(new URL(database.url).password)
  })

  test('as JSON, whole or value by value', async () => {
    await parsed(z.object({ worker: z.object({ batchSize: z.int() }) }), 'config')
    const origins = z.array(
      z.object({ key: z.string(), origin: z.enum(['default', 'config', 'environment', 'runtime']) }),
    )
    expect((await parsed(origins, 'config', '--show-origin')).length).toBeGreaterThan(40)
  })

  test('a file that is wrong, or missing, cannot be used', async () => {
    project.write('wrong.mjs', 'export default { worker: { batchSize: -1 } }')
    const { code, stderr } = await project.run(['stats', '--config', 'wrong.mjs'])
    expect(code).toBe(3)
    expect(stderr).toContain('worker.batchSize')
    expect((await project.run(['stats', '--config', 'missing.mjs'])).code).toBe(3)
  })
})

test('debug: handlers, routes, and what leads nowhere', async () => {
  project.write(
    'symphony.handlers.mjs',
    "import { registerHandler } from '@leadmap/symphony'\nregisterHandler('Mail', () => {})",
  )
  const text = await printed('debug')
  expect(text).toMatch(/^Mail +default +email +10, first after 1 s +–$/m)
  const { code, stdout } = await project.run(['debug', 'Unheard'])
  expect(code).toBe(4)
  expect(stdout).toMatch(/^Unheard +– .*✗ no handler$/m)
})
