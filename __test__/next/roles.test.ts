import { dispatch } from '@leadmap/symphony'
import { listAudit, listPauses } from '@leadmap/symphony/admin'
import { createSymphonyRoute, type Grant } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test } from 'vitest'
import { PERMISSIONS } from '../../lib/http/authorization/permissions.js'
import { countAll, createQueue, emptyTables } from '../support/symphony.js'
import { read, request } from './support.js'

const database = await createQueue()

beforeEach(() => emptyTables(database, 'messenger_controls', 'messenger_audit'))

const ID = '01890000-0000-7000-8000-000000000000'

async function call(grant: Grant, method: string, path: string, json?: unknown) {
  const route = createSymphonyRoute({ authorize: () => grant })
  const url = `/api/symphony/${path.replaceAll(/:\w+/g, ID)}`
  return read(route.handle(request(url, { method, json: method === 'GET' ? undefined : (json ?? {}) })))
}

/** Every endpoint, as the route itself lists them. */
const all: Array<[method: string, path: string]> = (await call({ role: 'viewer' }, 'GET', '')).body.endpoints.map(
  (it: string) => it.split(' '),
)

const changing = all.filter(([method, path]) => method !== 'GET' && path !== 'admin/operations/preview')

test('every endpoint that changes something has its right, and no right is without one', () => {
  expect(changing.length).toBeGreaterThan(15)
  const listed = all.map(([method, path]) => `${method} ${path}`)
  expect(Object.keys(PERMISSIONS).filter((it) => !listed.includes(it))).toEqual([])
  expect(changing.filter(([method, path]) => PERMISSIONS[`${method} ${path}`] === undefined)).toEqual([])
  expect(changing.filter(([method, path]) => PERMISSIONS[`${method} ${path}`] === 'read')).toEqual([])
})

describe('a viewer', () => {
  test.each(changing)('may not %s %s', async (method, path) => {
    await dispatch({ type: 'Any', payload: {} })
    const { status, body } = await call({ role: 'viewer' }, method, path, { all: true, filter: {}, action: 'remove' })
    expect(status).toBe(403)
    expect(body.error).toMatchObject({ code: 'SYMPHONY_FORBIDDEN', message: expect.stringContaining('viewer') })
    expect(await countAll(database)).toBe(1)
    expect((await listAudit()).entries).toEqual([])
  })

  test.each(all.filter(([method]) => method === 'GET'))('may %s %s', async (method, path) => {
    expect((await call({ role: 'viewer' }, method, path)).status).not.toBe(403)
  })

  test('may do what it has a right for', async () => {
    const grant: Grant = { role: 'viewer', can: { 'failed:retry': true } }
    expect((await call(grant, 'POST', 'failed/retry', { all: true })).status).toBe(200)
    expect((await call(grant, 'DELETE', 'failed', { all: true })).status).toBe(403)
  })
})

test('an operator mends, and neither deletes nor dispatches', async () => {
  const operator: Grant = { role: 'operator', actor: 'ada' }
  const paused = await call(operator, 'POST', 'admin/pauses', { queue: 'bulk', reason: 'full', actor: 'eve' })
  expect(paused).toMatchObject({ status: 200, body: { pause: { queue: 'bulk', actor: 'ada', reason: 'full' } } })
  expect((await call(operator, 'POST', 'failed/retry', { all: true })).status).toBe(200)
  for (const [method, path] of [
    ['DELETE', 'failed'],
    ['POST', 'dispatch'],
    ['POST', 'admin/workers/stop'],
    ['DELETE', 'schedules/:name'],
  ] as const) {
    expect((await call(operator, method, path, { all: true })).status, path).toBe(403)
  }
  expect((await call(operator, 'POST', 'admin/operations', { action: 'remove', filter: {} })).status).toBe(403)
  const without: Grant = { role: 'admin', can: { 'failed:remove': false } }
  expect((await call(without, 'DELETE', 'failed', { all: true })).status).toBe(403)
})

test.each([{ role: 'root' }, { role: null }, {}, { role: 'toString' }])('%j opens nothing', async (grant) => {
  expect((await call(grant as never, 'GET', 'status')).status).toBe(401)
})

test('pauses, operations, reasons and the audit over HTTP', async () => {
  const admin: Grant = { role: 'admin', actor: 'ada' }
  const { messageId } = await dispatch({ type: 'Mail', payload: { secret: 'hunter2' } }, { queue: 'bulk' })
  await call(admin, 'POST', 'admin/pauses', { queue: 'bulk', for: '1h' })
  expect((await call(admin, 'GET', 'admin/pauses')).body.pauses).toMatchObject([{ queue: 'bulk', actor: 'ada' }])
  const route = createSymphonyRoute({ authorize: () => admin })
  const why = await route.handle(request(`/api/symphony/admin/messages/${messageId}/why`))
  expect(await why.json()).toMatchObject({ success: true, reasons: [{ reason: 'paused' }, { reason: 'noWorker' }] })
  expect((await call(admin, 'POST', 'admin/pauses/resume', { queue: 'bulk' })).body.resumed).toMatchObject({
    actor: 'ada',
  })
  expect(await listPauses()).toEqual([])

  const asked = { action: 'snooze', delay: '1h', filter: { query: 'type:Mail' } }
  const preview = await call(admin, 'POST', 'admin/operations/preview', asked)
  expect(preview.body).toMatchObject({ matched: 1, capped: false, samples: [{ id: messageId, type: 'Mail' }] })
  expect(JSON.stringify(preview.body)).not.toContain('hunter2')
  const { before, matched } = preview.body
  const begun = await call(admin, 'POST', 'admin/operations', { ...asked, before, matched })
  const { id } = begun.body.operation
  const step = (what: string) =>
    route.handle(request(`/api/symphony/admin/operations/${id}/${what}`, { method: 'POST', json: {} }))
  expect(await (await step('step')).json()).toMatchObject({ operation: { done: 1, ended: 'completed', actor: 'ada' } })
  expect(await (await step('abort')).json()).toMatchObject({ operation: { ended: 'completed' } })
  const { entries } = (await call(admin, 'GET', 'admin/audit')).body
  expect(entries.map((it: { action: string }) => it.action)).toEqual(['snooze', 'resume', 'pause'])
  const entry = await route.handle(request(`/api/symphony/admin/audit/${id}`))
  expect(await entry.json()).toMatchObject({ entry: { id, done: 1 } })
  expect((await call(admin, 'POST', 'admin/workers/stop')).body).toMatchObject({ asked: [] })
})

test.each([
  ['admin/pauses', {}, 400],
  ['admin/pauses', { queue: '' }, 400],
  ['admin/pauses', { queue: 'a', until: 0, for: '1h' }, 400],
  ['admin/pauses', { transport: 'nowhere' }, 400],
  ['admin/operations', { action: 'cancel' }, 400],
  ['admin/operations', { action: 'cancel', filter: { query: 'typ:A' } }, 400],
  ['admin/operations', { action: 'move', filter: {}, priority: 11 }, 400],
  ['admin/operations', { action: 'cancel', filter: { stray: 1 } }, 400],
  ['admin/operations/:id/step', {}, 404],
  ['admin/operations/:id/step', { limit: 0 }, 400],
  ['admin/workers/stop', { transport: 'nowhere' }, 400],
] as const)('POST %s refuses %j with %i', async (path, json, status) => {
  expect((await call({ role: 'admin' }, 'POST', path, json)).status).toBe(status)
})
