import {
  consumeBatch,
  defineMessage,
  defineSchedules,
  type HandlerContext,
  HandlerRegistry,
  runDueSchedules,
  type Schedule,
  type ScheduleOptions,
  schedule,
  setConfig,
} from '@leadmap/symphony'
import {
  cleanup,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
} from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { dueSince } from './support/due.js'

const CONFIG = {
  transports: { email: { type: 'postgres', queue: 'mail', priority: 7 }, here: { type: 'memory' } },
  routing: { EmailMessage: ['email'], Both: ['supabase', 'email'], Memory: ['here'] },
} as const
const database = await createQueue(CONFIG as never)
vi.spyOn(console, 'error').mockImplementation(() => undefined)

beforeEach(async () => {
  await emptyTables(database, 'messenger_schedules')
})

const report = { type: 'Report', payload: { of: 'sales' } }
const rows = () => storedMessages(database)
/** Whatever is a few seconds late, no other run of it is due. */
const HALF_AN_HOUR_AGO = Date.now() - 1_800_000
const daily = (options: ScheduleOptions = {}) => schedule(report, { cron: '0 9 * * *' }, { name: 'report', ...options })

describe('schedule()', () => {
  test('stores what it was given, with its next run', async () => {
    const stored = await schedule(
      { ...report, metadata: { a: 1, b: 1 } },
      { cron: '0 9 * * mon-fri', timezone: 'europe/london' },
      { name: 'report', queue: 'q', priority: 9, headers: { x: 'y' }, metadata: { b: 2 }, maxRetries: 0, maxRuns: 3 },
    )
    expect(stored).toMatchObject({
      name: 'report',
      status: 'active',
      kind: 'cron',
      cron: '0 9 * * MON-FRI',
      timezone: 'Europe/London',
      type: 'Report',
      payload: { of: 'sales' },
      metadata: { a: 1, b: 2 },
      headers: { x: 'y' },
      queue: 'q',
      priority: 9,
      maxRetries: 0,
      maxRuns: 3,
      runCount: 0,
      origin: 'api',
      transport: null,
      lastRunAt: null,
    })
    expect(stored.nextRunAt?.getTime()).toBeGreaterThan(Date.now())
    expect(await getSchedule('report')).toEqual(stored)
    expect(await listSchedules()).toEqual([stored])
  })

  test('under the same name replaces, and the same again changes nothing', async () => {
    const first = await daily()
    expect(await daily()).toEqual(first)
    const other = await daily({ priority: 3 })
    expect(other).toMatchObject({ id: first.id, priority: 3, nextRunAt: first.nextRunAt })
    const later = await schedule(report, { cron: '0 10 * * *' }, { name: 'report' })
    expect(later.id).toBe(first.id)
    expect(later.nextRunAt).not.toEqual(first.nextRunAt)
    expect(await listSchedules()).toHaveLength(1)
  })

  test('an interval keeps its phase when something else about it changes', async () => {
    const every = (options: ScheduleOptions) => schedule(report, { every: '1h' }, { name: 'hourly', ...options })
    const { nextRunAt } = await every({})
    expect((await every({ priority: 1 })).nextRunAt).toEqual(nextRunAt)
    expect(nextRunAt?.getTime()).toBeGreaterThan(Date.now() + 3_590_000)
    const from = new Date(Date.now() - 90 * 60_000)
    expect((await every({ from })).nextRunAt).toEqual(new Date(from.getTime() + 7_200_000))
  })

  test('without a name has one of its own, the same for the same call', async () => {
    const once = (n: number) => schedule({ type: 'Once', payload: { n } }, { at: new Date(4e12) })
    const inSeconds = schedule({ type: 'Once', payload: {} }, { at: 4e9 })
    await expect(inSeconds).rejects.toThrow('when.at: got 4000000000, wants milliseconds since the epoch, not seconds')
    const { name } = await once(1)
    expect(name).toMatch(/^Once\/[\da-f]{16}$/)
    expect((await once(1)).name).toBe(name)
    expect((await once(2)).name).not.toBe(name)
    expect(await listSchedules()).toHaveLength(2)
  })

  test.each([
    [
      { type: 'cron', config: { cron: '0 9 * * *' }, timezone: 'Asia/Tokyo', maxRuns: 2 },
      { kind: 'cron', maxRuns: 2 },
    ],
    [
      { type: 'cron', config: { expression: '0 9 * * *' } },
      { kind: 'cron', cron: '0 9 * * *', timezone: 'UTC' },
    ],
    [
      { type: 'interval', config: { interval: '5m' }, timezone: 'UTC' },
      { kind: 'interval', every: 300_000 },
    ],
    [
      { type: 'interval', config: { every: 60_000 } },
      { kind: 'interval', every: 60_000 },
    ],
    [
      { type: 'once', config: { at: '2099-01-01T00:00:00+01:00' } },
      { kind: 'once', at: new Date('2098-12-31T23:00Z') },
    ],
  ] as const)('takes the long form %j', async (config, expected) => {
    expect(await schedule(report, config)).toMatchObject(expected)
  })

  test('validates a defined message', async () => {
    const Mail = defineMessage('Mail', z.object({ to: z.email() }))
    expect(await schedule(Mail.create({ to: 'ada@example.com' }), { every: '1h' })).toMatchObject({ type: 'Mail' })
    const bad = schedule(Mail.create({ to: 'nobody' }), { every: '1h' })
    await expect(bad).rejects.toMatchObject({ name: 'MessageValidationError', path: 'payload.to' })
  })

  const refusals: Array<[string, () => Promise<Schedule>, string, RegExp]> = [
    ['a bad field', () => schedule(report, { cron: '61 * * * *' }), 'SYMPHONY_INVALID_CRON', /^minute 61: 0 to 59/],
    ['never', () => schedule(report, { cron: '0 0 30 2 *' }), 'SYMPHONY_INVALID_CRON', /never runs/],
    ['a zone', () => schedule(report, { cron: '@daily', timezone: 'Mars' }), 'SYMPHONY_UNKNOWN_TIMEZONE', /"Mars"/],
    ['nothing', () => schedule(report, {} as never), 'SYMPHONY_INVALID_SCHEDULE', /one of \{ at \}/],
    [
      'a typo',
      () => daily({ maxRun: 1 } as never),
      'SYMPHONY_UNKNOWN_OPTION',
      /options\.maxRun: unknown option; the options are name.*did you mean "maxRuns"/,
    ],
    ['half a second', () => schedule(report, { every: 500 }), 'SYMPHONY_INVALID_SCHEDULE', /every: got 500.*from 1000/],
    ['maxRuns 0', () => daily({ maxRuns: 0 }), 'SYMPHONY_INVALID_SCHEDULE', /options\.maxRuns: got 0/],
    [
      'missed',
      () => daily({ missed: 'never' as never }),
      'SYMPHONY_INVALID_SCHEDULE',
      /wants 'once' or 'all' or 'skip'/,
    ],
    ['a date', () => schedule(report, { at: '2026-13-01' }), 'SYMPHONY_INVALID_SCHEDULE', /when\.at.*with a zone/],
    ['a name', () => daily({ name: ' ' }), 'SYMPHONY_INVALID_SCHEDULE', /options\.name/],
    ['both', () => daily({ missed: 'all', overlap: 'skip' }), 'SYMPHONY_INVALID_SCHEDULE', /use only one of them/],
    ['a key', () => daily({ idempotencyKey: 'k' } as never), 'SYMPHONY_UNKNOWN_OPTION', /idempotencyKey/],
    ['priority 11', () => daily({ priority: 11 }), 'SYMPHONY_INVALID_PRIORITY', /1 to 10/],
    ['an unknown transport', () => daily({ transport: 'no' }), 'SYMPHONY_UNKNOWN_TRANSPORT', /"no"/],
    ['memory', () => daily({ transport: 'here' }), 'SYMPHONY_TRANSPORT_NOT_CAPABLE', /"here".*in Postgres/],
    [
      'routed to memory',
      () => schedule({ type: 'Memory', payload: {} }, { every: '1h' }),
      'SYMPHONY_TRANSPORT_NOT_CAPABLE',
      /"here"/,
    ],
    ['no payload', () => schedule({ type: 'A' } as never, { every: '1h' }), 'SYMPHONY_INVALID_PAYLOAD', /payload/],
  ]
  test.each(refusals)('refuses %s', async (_, attempt, code, message) => {
    await expect(attempt()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await listSchedules()).toEqual([])
  })
})

describe('runDueSchedules()', () => {
  test('makes one ordinary message of a due run, and moves on', async () => {
    await schedule(
      { type: 'EmailMessage', payload: { to: 'a' } },
      { every: '1h' },
      { name: 'mail', headers: { x: 'y' }, from: HALF_AN_HOUR_AGO },
    )
    expect(await runDueSchedules()).toMatchObject({ due: 0, dispatched: 0, nextRunAt: expect.any(Date) })
    const nominal = await dueSince(database, 'mail', '5 seconds')
    const result = await runDueSchedules()
    const [row] = await rows()
    expect(result).toMatchObject({ due: 1, dispatched: 1, skipped: 0, failed: 0, errors: [] })
    expect(result.messages).toEqual([{ schedule: 'mail', messageId: row?.id, nominalAt: nominal, transport: 'email' }])
    expect(row).toMatchObject({
      message_type: 'EmailMessage',
      transport_name: 'email',
      queue_name: 'mail',
      priority: 7,
      body: { to: 'a' },
      headers: { x: 'y', 'schedule-name': 'mail', 'schedule-run-at': nominal.toISOString() },
      idempotency_key: `mail@${nominal.toISOString()}`,
    })
    const stored = await getSchedule('mail')
    expect(stored).toMatchObject({ runCount: 1, lastMessageIds: [row?.id], nextRunAt: result.nextRunAt })
    expect(await runDueSchedules()).toMatchObject({ due: 0, dispatched: 0 })
  })

  test('the handler knows the planned time, and the message is handled like any other', async () => {
    await daily()
    const nominal = await dueSince(database, 'report', '1 minute')
    await runDueSchedules()
    const seen = vi.fn()
    const registry = new HandlerRegistry()
    registry.register('Report', (_, context: HandlerContext) => seen(context.headers['schedule-run-at']))
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(seen).toHaveBeenCalledWith(nominal.toISOString())
  })

  test.each([
    ['once', {}, 1, 8],
    ['all', {}, 9, 0],
    ['all', { maxMissed: 3 }, 3, 6],
    ['skip', {}, 0, 9],
  ] as const)('after a gap of two hours, %s %j', async (missed, more, dispatched, skipped) => {
    const from = new Date(Date.now() - 2 * 3_600_000 - 7 * 60_000)
    await schedule(report, { every: '15m' }, { name: 'quarterly', from, missed, ...more })
    await database.query('UPDATE symphony.messenger_schedules SET next_run_at = $1, nominal_run_at = $1', [from])
    expect(await runDueSchedules()).toMatchObject({ due: 1, dispatched, skipped, failed: 0 })
    const planned = (await rows()).map(({ headers }) => headers['schedule-run-at'])
    const last = (n: number) => new Date(from.getTime() + (9 - n) * 15 * 60_000).toISOString()
    expect(planned).toEqual(Array.from({ length: dispatched }, (_, n) => last(dispatched - n)))
    const { nextRunAt } = (await getSchedule('quarterly')) ?? {}
    expect(nextRunAt).toEqual(new Date(from.getTime() + 9 * 15 * 60_000))
  })

  test('overlap: skip waits for the message of the last run, whatever becomes of it', async () => {
    await schedule(report, { every: '1h' }, { name: 'slow', overlap: 'skip', from: HALF_AN_HOUR_AGO })
    const again = async () => {
      await dueSince(database, 'slow', '1 second')
      const { dispatched, skipped } = await runDueSchedules()
      return { dispatched, skipped }
    }
    expect(await again()).toEqual({ dispatched: 1, skipped: 0 })
    expect(await again()).toEqual({ dispatched: 0, skipped: 1 })
    const registry = new HandlerRegistry()
    registry.register('Report', async () => expect(await again()).toEqual({ dispatched: 0, skipped: 1 }))
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(await again()).toEqual({ dispatched: 1, skipped: 0 })
    expect(await getSchedule('slow')).toMatchObject({ runCount: 2, skippedCount: 2 })
  })

  test.each(['allow', 'skip'] as const)(
    'a run that ends as a dead letter stops no later one, overlap: %s',
    async (overlap) => {
      await schedule(report, { every: '1h' }, { name: 'failing', maxRetries: 0, overlap, from: HALF_AN_HOUR_AGO })
      const registry = new HandlerRegistry()
      registry.register('Report', () => Promise.reject(new Error('no')))
      for (const runCount of [1, 2, 3]) {
        await dueSince(database, 'failing', '1 second')
        expect(await runDueSchedules()).toMatchObject({ dispatched: 1, skipped: 0 })
        expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
        expect(await getSchedule('failing')).toMatchObject({ status: 'active', runCount })
      }
    },
  )

  test('ends with maxRuns, with until, and after one time', async () => {
    await schedule(report, { every: '1h' }, { name: 'twice', maxRuns: 2 })
    await schedule(report, { at: Date.now() - 1_000 }, { name: 'one' })
    await schedule(report, { every: '1h' }, { name: 'until', until: Date.now() + 3_660_000 })
    for (const name of ['twice', 'until']) await dueSince(database, name, '1 second')
    expect(await runDueSchedules()).toMatchObject({ due: 3, dispatched: 3 })
    const status = async () => (await listSchedules()).map(({ name, status }) => [name, status])
    expect(await status()).toEqual([
      ['one', 'finished'],
      ['twice', 'active'],
      ['until', 'active'],
    ])
    await dueSince(database, 'twice', '1 second')
    await database.query("UPDATE symphony.messenger_schedules SET until_at = now() WHERE name = 'until'")
    await dueSince(database, 'until', '1 second')
    expect(await runDueSchedules()).toMatchObject({ due: 2, nextRunAt: null })
    expect((await status()).map(([, status]) => status)).toEqual(['finished', 'finished', 'finished'])
    expect(await schedule(report, { every: '1h' }, { name: 'twice', maxRuns: 5 })).toMatchObject({ status: 'active' })
  })

  test('a message for each transport that routing names', async () => {
    await schedule({ type: 'Both', payload: {} }, { every: '1h' }, { name: 'both' })
    await dueSince(database, 'both', '1 second')
    expect(await runDueSchedules()).toMatchObject({ due: 1, dispatched: 2 })
    expect((await rows()).map((row) => row.transport_name).sort()).toEqual(['email', 'supabase'])
  })

  test('jitter makes a run late, and leaves its planned time alone', async () => {
    const from = Date.now() + 3_600_000
    const { nextRunAt } = await schedule(report, { every: '1h' }, { name: 'jittered', from, jitter: '10m' })
    const late = (nextRunAt?.getTime() ?? 0) - from
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThanOrEqual(600_000)
    await database.query(
      "UPDATE symphony.messenger_schedules SET nominal_run_at = now() - interval '5 s', next_run_at = now() - interval '1 s'",
    )
    const [{ nominal } = {}] = await database.query(
      'SELECT nominal_run_at AS nominal FROM symphony.messenger_schedules',
    )
    expect((await runDueSchedules()).messages).toMatchObject([{ nominalAt: nominal }])
  })

  test('a schedule that cannot run stops no other, keeps its run, and says why', async () => {
    const names = ['cron', 'good', 'nowhere', 'row', 'zone']
    for (const name of names) await schedule(report, { cron: '0 9 * * *' }, { name })
    for (const name of names) await dueSince(database, name, '5 seconds')
    const spoil = (name: string, set: string) =>
      database.query(`UPDATE symphony.messenger_schedules SET ${set} WHERE name = $1`, [name])
    await spoil('cron', `schedule_config = '{"cron": "61 * * * *"}'`)
    await spoil('nowhere', `transport_name = 'gone'`)
    await spoil('row', `headers = '[]'`)
    await spoil('zone', `timezone = 'Mars'`)
    const result = await runDueSchedules()
    expect(result).toMatchObject({ due: 5, dispatched: 1, failed: 4, messages: [{ schedule: 'good' }] })
    expect(Object.fromEntries(result.errors.map(({ schedule, code }) => [schedule, code]))).toEqual({
      cron: 'SYMPHONY_INVALID_CRON',
      nowhere: 'SYMPHONY_UNKNOWN_TRANSPORT',
      row: 'SYMPHONY_SERIALIZATION_FAILED',
      zone: 'SYMPHONY_UNKNOWN_TIMEZONE',
    })
    expect(console.error).toHaveBeenCalled()
    const broken = await getSchedule('nowhere')
    expect(broken).toMatchObject({
      lastError: expect.stringMatching(/^SYMPHONY_UNKNOWN_TRANSPORT: .*"gone"/),
      runCount: 0,
    })
    expect(broken?.nextRunAt?.getTime()).toBeLessThan(Date.now() + 90_000)
    // As soon as it can, it runs.
    await spoil('nowhere', 'transport_name = NULL, next_run_at = now()')
    expect(await runDueSchedules()).toMatchObject({ dispatched: 1 })
    expect(await getSchedule('nowhere')).toMatchObject({ lastError: null, runCount: 1 })
  })

  test('a schedule made by hand runs as well', async () => {
    await database.query(
      `INSERT INTO symphony.messenger_schedules
         (name, message_type, transport_name, body, schedule_type, schedule_config, next_run_at)
       VALUES ('nightly', 'Report', 'supabase', '{}', 'cron', '{"expression": "0 3 * * *"}', now() - interval '1 minute')`,
    )
    expect(await runDueSchedules()).toMatchObject({ due: 1, dispatched: 1 })
    expect(await getSchedule('nightly')).toMatchObject({ cron: '0 3 * * *', status: 'active', runCount: 1 })
  })

  test('a run moved by hand is the run', async () => {
    await schedule(report, { every: '15m' }, { name: 'moved', missed: 'all' })
    await database.query("UPDATE symphony.messenger_schedules SET next_run_at = now() - interval '2 hours'")
    expect(await runDueSchedules()).toMatchObject({ dispatched: 9 })
  })

  test('limit, and a key that is taken', async () => {
    for (const name of ['a', 'b', 'c']) {
      await schedule(report, { every: '1h' }, { name })
      await dueSince(database, name, '2 seconds')
    }
    const { due, nextRunAt } = await runDueSchedules({ limit: 2 })
    expect([due, (nextRunAt?.getTime() ?? 0) <= Date.now() + 1_000]).toEqual([2, true])
    expect(await runDueSchedules({ timeLimit: '10s' })).toMatchObject({ due: 1 })
    await deleteSchedule('a')
    const from = new Date(Date.now() - 3_600_000)
    for (const dispatched of [1, 0]) {
      await schedule(report, { every: '2h' }, { name: 'a', from })
      await database.query(
        "UPDATE symphony.messenger_schedules SET next_run_at = $1, nominal_run_at = $1 WHERE name = 'a'",
        [from],
      )
      expect(await runDueSchedules()).toMatchObject({ due: 1, dispatched })
      await deleteSchedule('a')
    }
    await expect(runDueSchedules({ limit: 0 })).rejects.toMatchObject({ code: 'SYMPHONY_INVALID_SCHEDULE' })
    await expect(runDueSchedules({ timelimit: 1 } as never)).rejects.toThrow(
      /timelimit.*the options are limit, timeLimit/,
    )
  })

  test('the payload limit of today counts', async () => {
    await daily()
    await dueSince(database, 'report', '1 second')
    setConfig({ payload: { maxBytes: 5 } })
    const { errors } = await runDueSchedules()
    setConfig({ payload: { maxBytes: 1_048_576 } })
    const metadata = { a: 'x'.repeat(70_000) }
    await expect(schedule({ ...report, metadata }, { every: '2h' }, { name: 'large' })).rejects.toMatchObject({
      code: 'SYMPHONY_PAYLOAD_TOO_LARGE',
    })
    expect(errors).toMatchObject([{ schedule: 'report', code: 'SYMPHONY_PAYLOAD_TOO_LARGE' }])
  })
})

describe('a schedule', () => {
  test('is paused and goes on with its next run', async () => {
    await daily()
    expect(await pauseSchedule('report')).toMatchObject({ status: 'paused', nextRunAt: null })
    await dueSince(database, 'report', '2 hours')
    expect(await runDueSchedules()).toMatchObject({ due: 0 })
    const { updatedAt } = await pauseSchedule('report')
    expect((await getSchedule('report'))?.updatedAt).toEqual(updatedAt)
    const resumed = await resumeSchedule('report')
    expect(resumed.status).toBe('active')
    expect(resumed.nextRunAt?.getTime()).toBeGreaterThan(Date.now())
    // Scheduling again does not resume.
    await pauseSchedule('report')
    expect(await daily({ priority: 1 })).toMatchObject({ status: 'paused' })
  })

  test('runs now, whatever its plan says', async () => {
    const { nextRunAt } = await daily({ maxRuns: 1 })
    await pauseSchedule('report')
    const { messageId, messages } = await runScheduleNow('report')
    expect(messages).toMatchObject([{ schedule: 'report', messageId, transport: 'supabase' }])
    expect(await rows()).toMatchObject([
      { id: messageId, idempotency_key: null, headers: { 'schedule-name': 'report' } },
    ])
    expect(await resumeSchedule('report')).toMatchObject({ nextRunAt, runCount: 0, lastMessageIds: [messageId] })
    expect((await runScheduleNow('report')).messageId).not.toBe(messageId)
  })

  test('is deleted, and its messages stay', async () => {
    await daily()
    await runScheduleNow('report')
    expect(await deleteSchedule('report')).toBe(true)
    expect(await deleteSchedule('report')).toBe(false)
    expect(await getSchedule('report')).toBeNull()
    expect(await rows()).toHaveLength(1)
  })

  test('without a run left is cleaned up a day later, unless the code still names it', async () => {
    await schedule(report, { at: Date.now() }, { name: 'api' })
    await schedule(report, { at: Date.now() }, { name: 'fresh' })
    await defineSchedules([{ name: 'code', message: report, when: { at: '2026-01-01T00:00:00Z' } }])
    expect(await runDueSchedules()).toMatchObject({ dispatched: 3 })
    await database.query(
      "UPDATE symphony.messenger_schedules SET finished_at = now() - interval '25 hours' WHERE name <> 'fresh'",
    )
    expect(await cleanup()).toMatchObject({ schedules: 1 })
    expect((await listSchedules()).map(({ name }) => name)).toEqual(['code', 'fresh'])
  })

  test('that does not exist is named', async () => {
    for (const act of [pauseSchedule, resumeSchedule, runScheduleNow]) {
      const code = 'SYMPHONY_UNKNOWN_SCHEDULE'
      await expect(act('nobody')).rejects.toMatchObject({ name: 'SchedulerError', code, message: /"nobody"/ })
    }
  })

  test('is listed by name, page by page', async () => {
    for (const name of ['b', 'a', 'c']) await schedule(report, { every: '1h' }, { name })
    const names = async (options: object) => (await listSchedules(options)).map(({ name }) => name)
    expect(await names({ limit: 2 })).toEqual(['a', 'b'])
    expect(await names({ limit: 2, after: 'b' })).toEqual(['c'])
    await expect(listSchedules({ limit: 0 })).rejects.toMatchObject({ code: 'SYMPHONY_INVALID_SCHEDULE' })
  })
})
