import { consumeBatch, defineMessage, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import {
  type AuditEntry,
  cancelMessage,
  deleteSchedule,
  editMessage,
  getMessage,
  listAudit,
  listErrorGroups,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
  setErrorGroup,
} from '@leadmap/symphony/admin'
import { createSymphonyRoute, type Grant } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { read, request } from '../next/support.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database, 'messenger_audit', 'messenger_schedules'))

const NOBODY = '01890000-0000-7000-8000-000000000000'
const ADA = { actor: 'ada', reason: 'typing error', role: 'admin' }
const LARGE = '{"n": 12345678901234567890123, "exact": 0.10000000000000000001}'

const audit = async (): Promise<AuditEntry[]> => (await listAudit()).entries

describe('editMessage()', () => {
  test('changes what is given, and leaves the rest', async () => {
    const { messageId } = await dispatch(
      { type: 'Mail', payload: { to: 'bob' }, metadata: { source: 'test' } },
      { delay: '1h', headers: { tenant: 'acme' }, idempotencyKey: 'mail-1' },
    )
    const before = await getMessage(messageId)
    expect(await editMessage(messageId, { payload: { to: 'ada' }, priority: 9 }, ADA)).toEqual({
      edited: true,
      status: 'pending',
    })
    const after = await getMessage(messageId)
    expect(after).toEqual({ ...before, payload: { to: 'ada' }, payloadText: '{"to": "ada"}', priority: 9 })
    await editMessage(messageId, { scheduledAt: '2040-01-01T00:00:00Z', queue: 'mails', maxRetries: 1 })
    expect(await getMessage(messageId)).toMatchObject({
      availableAt: new Date('2040-01-01T00:00:00Z'),
      queue: 'mails',
      maxRetries: 1,
    })
  })

  test('hands a payload on with every digit, to the table and to the handler', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'bob' } }, { delay: '1h' })
    await editMessage(messageId, { payloadText: LARGE, delay: 0 })
    expect((await getMessage(messageId))?.payloadText).toBe(LARGE)
    const handled: unknown[] = []
    const registry = new HandlerRegistry()
    registry.register('Mail', ({ payload }) => void handled.push(payload))
    await consumeBatch({ registry })
    expect(handled).toEqual([JSON.parse(LARGE)])
  })

  test('checks a payload with the schema of its type', async () => {
    const Mail = defineMessage('EditedMail', z.object({ to: z.string(), copies: z.number().default(1) }))
    const { messageId } = await dispatch(Mail.create({ to: 'bob' }))
    await expect(editMessage(messageId, { payload: { to: 1 } })).rejects.toMatchObject({
      code: 'SYMPHONY_INVALID_PAYLOAD',
      path: 'payload.to',
    })
    await expect(editMessage(messageId, { payloadText: '{"to":1}' })).rejects.toThrow('payload.to')
    await editMessage(messageId, { payload: { to: 'ada' } })
    expect((await getMessage(messageId))?.payload).toEqual({ to: 'ada', copies: 1 })
  })

  test('leaves alone what does not wait', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'bob' } })
    let running: unknown
    const registry = new HandlerRegistry()
    registry.register('Mail', async () => {
      running = await editMessage(messageId, { priority: 1 })
    })
    await consumeBatch({ registry })
    expect(running).toEqual({ edited: false, status: 'processing' })
    expect(await editMessage(messageId, { priority: 1 })).toEqual({ edited: false, status: 'completed' })
    expect(await editMessage(NOBODY, { priority: 1 })).toEqual({ edited: false, status: null })
    expect(await editMessage('no-id', { priority: 1 })).toEqual({ edited: false, status: null })
    expect(await audit()).toEqual([])
  })

  test.each([
    [{}, 'changes: got nothing'],
    [{ payload: [] }, 'wants an object'],
    [{ payload: { a: new Map() } }, 'payload.a'],
    [{ payloadText: '{' }, 'not JSON'],
    [{ payloadText: '[1]' }, 'payload'],
    [{ payload: {}, payloadText: '{}' }, 'must not stand beside'],
    [{ headers: { a: 1 } }, 'headers.a'],
    [{ priority: 11 }, 'priority'],
    [{ queue: ' a' }, 'queue'],
    [{ delay: 5, scheduledAt: '2040-01-01T00:00:00Z' }, 'delay'],
    [{ prioritty: 1 }, 'did you mean "priority"'],
  ])('refuses %j', async (changes, problem) => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'bob' } })
    await expect(editMessage(messageId, changes as never)).rejects.toThrow(problem)
    expect((await getMessage(messageId))?.payload).toEqual({ to: 'bob' })
  })
})

test('the audit says who did what to one message, one schedule and one group of errors, and never what they hold', async () => {
  const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'bob' } }, { delay: '1h' })
  await editMessage(messageId, { payload: { secret: 'hunter2' } }, ADA)
  await cancelMessage(messageId, ADA)
  await cancelMessage(messageId, ADA)
  await schedule({ type: 'Mail', payload: {} }, { cron: '0 9 * * *' }, { name: 'report' })
  await pauseSchedule('report', ADA)
  await pauseSchedule('report', ADA)
  await runScheduleNow('report', ADA)
  await resumeSchedule('report', ADA)
  await deleteSchedule('report', ADA)
  await deleteSchedule('report', ADA)
  const failing = new HandlerRegistry()
  failing.register('Mail', () => Promise.reject(new RangeError('no')))
  await consumeBatch({ registry: failing })
  expect(await listErrorGroups({ type: 'Mail' })).toMatchObject([{ class: 'RangeError' }])
  await setErrorGroup('Mail', 'RangeError', 'ignored', undefined, ADA)

  const entries = (await audit()).reverse()
  expect(entries.map(({ action }) => action)).toEqual([
    'edit',
    'cancel',
    'pauseSchedule',
    'runSchedule',
    'resumeSchedule',
    'removeSchedule',
    'judgeErrors',
  ])
  for (const entry of entries) expect(entry).toMatchObject({ ...ADA, done: 1, ended: 'completed' })
  expect(entries[0]?.target).toEqual({
    operation: { action: 'edit', changed: ['payload'] },
    selection: { ids: [messageId] },
  })
  expect(entries[2]?.target).toEqual({ schedule: 'report' })
  expect(JSON.stringify(entries)).not.toContain('hunter2')
})

describe('over HTTP', () => {
  async function call(grant: Grant, method: string, path: string, init: { json?: unknown; body?: string } = {}) {
    const headers = { 'content-type': 'application/json' }
    const route = createSymphonyRoute({ authorize: () => grant })
    return read(route.handle(request(`/api/symphony/${path}`, { method, headers, ...init })))
  }
  const ADMIN: Grant = { role: 'admin', actor: 'ada' }

  test('a message is changed with every digit, by who the route says', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'bob' } }, { delay: '1h' })
    const path = `admin/messages/${messageId}/edit`
    const body = `{ "payload": ${LARGE}, "delay": "5m", "actor": "eve", "reason": "typing error" }`
    expect(await call(ADMIN, 'POST', path, { body })).toMatchObject({ status: 200, body: { messageId } })
    expect((await getMessage(messageId))?.payloadText).toBe(LARGE)
    expect(await audit()).toMatchObject([{ action: 'edit', actor: 'ada', role: 'admin', reason: 'typing error' }])
    for (const [json, status] of [
      [{}, 400],
      [{ priority: 0 }, 400],
      [{ payload: [1] }, 400],
      [{ stray: 1 }, 400],
    ] as const) {
      expect((await call(ADMIN, 'POST', path, { json })).status, JSON.stringify(json)).toBe(status)
    }
    expect((await call({ role: 'operator' }, 'POST', path, { json: { priority: 1 } })).status).toBe(403)
    await cancelMessage(messageId)
    expect((await call(ADMIN, 'POST', path, { json: { priority: 1 } })).status).toBe(409)
    const unknown = `admin/messages/${NOBODY}/edit`
    expect((await call(ADMIN, 'POST', unknown, { json: { priority: 1 } })).status).toBe(404)
  })

  test('the older endpoints say who it was and in which role, too', async () => {
    const failing = new HandlerRegistry()
    failing.register('*', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
    for (let n = 0; n < 4; n += 1) await dispatch({ type: 'Mail', payload: { n } })
    await consumeBatch({ registry: failing })
    const { messageId } = await dispatch({ type: 'Mail', payload: {} }, { delay: '1h' })
    await schedule({ type: 'Mail', payload: {} }, { cron: '0 9 * * *' }, { name: 'report' })
    const [first, second] = (await call(ADMIN, 'GET', 'failed')).body.messages
    const calls: Array<[string, string, unknown?]> = [
      ['POST', `failed/${first.id}/retry`, { reason: 'r' }],
      ['DELETE', `failed/${second.id}?reason=r`],
      ['POST', 'failed/retry', { type: 'None', reason: 'r' }],
      ['DELETE', 'failed?all=true&reason=r'],
      ['POST', `admin/messages/${messageId}/cancel`, { reason: 'r' }],
      ['POST', 'schedules/report/pause', { reason: 'r' }],
      ['POST', 'schedules/report/resume', { reason: 'r' }],
      ['POST', 'schedules/report/run', { reason: 'r' }],
      ['DELETE', 'schedules/report?reason=r'],
    ]
    for (const [method, path, json] of calls) {
      expect((await call(ADMIN, method, path, { json })).status, path).toBe(200)
    }
    const entries = await audit()
    expect(entries).toHaveLength(calls.length)
    for (const entry of entries) expect(entry).toMatchObject({ actor: 'ada', role: 'admin', reason: 'r' })
  })

  test('a reason alone selects nothing', async () => {
    expect((await call(ADMIN, 'POST', 'failed/retry', { json: { reason: 'r' } })).status).toBe(400)
  })
})
