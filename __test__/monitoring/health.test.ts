import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  getConfig,
  HandlerError,
  HandlerRegistry,
  runDueSchedules,
  schedule,
  setConfig,
} from '@leadmap/symphony'
import { deleteSchedule, getHealth, pauseSchedule } from '@leadmap/symphony/admin'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()

beforeEach(async () => {
  await emptyTables(database, 'messenger_metrics', 'messenger_workers', 'messenger_circuits')
})

const registry = new HandlerRegistry()
registry.register('Good', () => undefined)
registry.register('Bad', () => Promise.reject(new HandlerError('no', false)))

const many = (type: string, count: number) => Array.from({ length: count }, () => ({ type, payload: {} }))

async function check(name: string) {
  const { findings, status } = await getHealth({ registry })
  return { overall: status, ...findings.find((one) => one.check === name) }
}

test('a queue at rest is healthy', async () => {
  const health = await getHealth({ registry })
  expect(health).toMatchObject({
    status: 'ok',
    timestamp: expect.any(Date),
    metrics: { queueDepth: 0, processingRate: 0, errorRate: 0, averageLatency: 0 },
  })
  expect(health.uptime).toBeGreaterThan(0)
  expect(health.findings.map(({ check, severity }) => `${check} ${severity}`)).toEqual(
    [
      'database',
      'migrations',
      'queueDepth',
      'oldestAge',
      'errorRate',
      'deadLetters',
      'staleWorkers',
      'heldMessages',
      'overdueSchedules',
      'parkedMessages',
      'unhandledTypes',
      'circuitBreakers',
      'pauses',
    ].map((name) => `${name} ok`),
  )
})

test('a transport that is switched off is shown, without being trouble', async () => {
  await database.query(
    `INSERT INTO symphony.messenger_transports (name, type, enabled) VALUES ('mail', 'postgres', false)`,
  )
  await expect.poll(() => check('switchedOff')).toMatchObject({ overall: 'ok', severity: 'ok', value: 1 })
  expect((await check('switchedOff')).message).toMatch(/: mail$/)
  await database.query('UPDATE symphony.messenger_transports SET enabled = true')
  await expect.poll(() => check('switchedOff')).toEqual({ overall: 'ok' })
})

test('thresholds decide about depth and age', async () => {
  const before = getConfig().health
  setConfig({ health: { warning: { queueDepth: 3, oldestAge: '1m' }, error: { queueDepth: 5, oldestAge: '2m' } } })
  onTestFinished(() => setConfig({ health: before }))
  await dispatchBatch(many('Good', 3))
  expect(await check('queueDepth')).toMatchObject({ overall: 'warning', severity: 'warning', value: 3 })
  await dispatchBatch(many('Good', 2))
  expect(await check('queueDepth')).toMatchObject({ overall: 'error', severity: 'error', value: 5 })
  const age = (minutes: number) =>
    database.query('UPDATE symphony.messenger_messages_pending SET available_at = now() - make_interval(mins => $1)', [
      minutes,
    ])
  await age(1)
  expect(await check('oldestAge')).toMatchObject({ severity: 'warning' })
  await age(3)
  expect(await check('oldestAge')).toMatchObject({ severity: 'error', message: expect.stringMatching(/3 min/) })
})

test('failures and dead letters show', async () => {
  await dispatchBatch([...many('Good', 30), ...many('Bad', 10)])
  await consumeBatch({ registry })
  expect(await check('errorRate')).toMatchObject({ severity: 'warning', value: 0.25, overall: 'warning' })
  expect(await check('deadLetters')).toMatchObject({
    severity: 'warning',
    value: 10,
    message: '10 messages became dead letters in the last hour, 10 are kept',
  })
  const { metrics } = await getHealth({ registry })
  expect(metrics).toMatchObject({ errorRate: 0.25, processingRate: 8 })
  await database.query(`UPDATE symphony.messenger_failed_messages SET failed_at = now() - interval '2 hours'`)
  expect(await check('deadLetters')).toMatchObject({ severity: 'ok', value: 0 })
})

test('one failed run raises no alarm', async () => {
  await dispatch({ type: 'Bad', payload: {} })
  await consumeBatch({ registry })
  expect(await check('errorRate')).toMatchObject({ severity: 'ok', value: 1 })
})

test('messages without a handler show, unless no handler lives here', async () => {
  await dispatchBatch(many('Nobody', 3))
  expect(await check('unhandledTypes')).toMatchObject({
    overall: 'warning',
    message: 'messages wait without a handler here: 3 of type Nobody in supabase/default',
    value: 3,
  })
  expect(await getHealth({ registry: null })).toMatchObject({ status: 'ok' })
  expect(await getHealth({ registry: new HandlerRegistry() })).toMatchObject({ status: 'ok' })
})

test('a worker that died and was not rescued shows', async () => {
  await database.query(
    `INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until)
     VALUES (gen_random_uuid(), 'h', 1, '{supabase}', now() - interval '5 minutes')`,
  )
  expect(await check('staleWorkers')).toMatchObject({ overall: 'warning', severity: 'warning', value: 1 })
})

test('messages that nobody holds show, and so do those that their worker does not know of', async () => {
  const hold = (worker: string) =>
    database.query(
      `INSERT INTO symphony.messenger_messages_processing
         (id, message_type, transport_name, body, status, locked_at, locked_by, worker_id)
       VALUES (gen_random_uuid(), 'Good', 'supabase', '{}', 'processing', now() - interval '5 minutes',
               gen_random_uuid(), $1)`,
      [worker],
    )
  const [worker] = await database.query<{ id: string }>(
    `INSERT INTO symphony.messenger_workers (id, host, pid, transports, lease_until, in_flight)
     VALUES (gen_random_uuid(), 'h', 1, '{supabase}', now() + interval '1 minute', 1) RETURNING id`,
  )
  await hold(worker?.id ?? '')
  expect(await check('heldMessages')).toMatchObject({ overall: 'ok', severity: 'ok', value: 0 })
  await hold(worker?.id ?? '')
  expect(await check('heldMessages')).toMatchObject({
    overall: 'warning',
    message: '1 messages are held by living workers that do not know of them',
    value: 1,
  })
  await database.query('TRUNCATE symphony.messenger_workers')
  expect(await check('heldMessages')).toMatchObject({
    overall: 'warning',
    message: '2 claimed messages are held by nobody: their workers have no row in messenger_workers',
    remedy: expect.stringContaining('consumeBatch()'),
    value: 2,
  })
})

test('schedules that nobody runs show, unless they are paused', async () => {
  const names = ['daily', 'hourly', 'soon']
  for (const name of names) await schedule({ type: 'Good', payload: {} }, { every: '1h' }, { name })
  onTestFinished(async () => {
    for (const name of names) await deleteSchedule(name)
  })
  const due = (name: string, minutes: number) =>
    database.query(
      'UPDATE symphony.messenger_schedules SET next_run_at = now() - make_interval(mins => $2) WHERE name = $1',
      [name, minutes],
    )
  await due('soon', 1)
  expect(await check('overdueSchedules')).toMatchObject({ overall: 'ok', severity: 'ok', value: 0 })
  await due('daily', 6)
  await due('hourly', 60)
  expect(await check('overdueSchedules')).toMatchObject({
    overall: 'warning',
    severity: 'warning',
    value: 2,
    remedy: expect.stringContaining('runDueSchedules()'),
  })
  await pauseSchedule('hourly')
  expect(await check('overdueSchedules')).toMatchObject({ value: 1 })
  await runDueSchedules()
  expect(await check('overdueSchedules')).toMatchObject({ overall: 'ok', severity: 'ok', value: 0 })
})

test('a paused type shows', async () => {
  await database.query(
    `INSERT INTO symphony.messenger_circuits (message_type, state, runs, failures, opened_at, probe_at, reason)
     VALUES ('Bad', 'open', 30, 20, now(), now() + interval '30 s', 'SmtpError')`,
  )
  expect(await check('circuitBreakers')).toMatchObject({
    overall: 'warning',
    message: expect.stringMatching(/^Bad is paused: 20 of 30 runs failed \(SmtpError\); next try at \d{4}-/),
  })
})

test('a database that does not answer is a finding, not an error', async () => {
  await close()
  setConfig({ database: { url: 'postgres://nobody@127.0.0.1:1/none' } })
  onTestFinished(async () => {
    await close()
    setConfig({ database: { url: database.url } })
  })
  const health = await getHealth({ registry })
  expect(health.status).toBe('error')
  expect(health.findings).toEqual([
    {
      check: 'database',
      severity: 'error',
      message: expect.stringMatching(/127\.0\.0\.1.*\(SYMPHONY_/),
      remedy: expect.stringContaining('the URL'),
    },
  ])
})

test('missing migrations are a finding', async () => {
  await close()
  setConfig({ database: { schema: 'not_there' } })
  onTestFinished(async () => {
    await close()
    setConfig({ database: { schema: 'symphony' } })
  })
  const { status, findings } = await getHealth({ registry })
  expect(status).toBe('error')
  expect(findings[1]).toMatchObject({
    check: 'migrations',
    message: expect.stringMatching(/version 0 of \d+$/),
    remedy: expect.stringContaining('migrate()'),
  })
})
