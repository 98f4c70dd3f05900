/** The OpenAPI document says what the endpoints take and answer: every answer here is held against it. */
import { consumeBatch, dispatch, getRegistry, registerHandler, schedule } from '@leadmap/symphony'
import { bearerToken, createSymphonyRoute } from '@leadmap/symphony/next'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { read, request, SECRET } from './support.js'

const database = await createQueue()
beforeEach(async () => {
  await emptyTables(database)
  getRegistry().clear()
})

const route = createSymphonyRoute({ authorize: bearerToken(() => SECRET) })

type Init = Parameters<typeof request>[1]
const call = (method: string, path: string, init: Init = {}) =>
  read(route.handle(request(`/api/symphony/${path}`, { method, ...init })))

interface Operation {
  operationId: string
  parameters?: Array<{ name: string; in: string; schema: object }>
  responses: Record<string, { content: Record<string, { schema: object }> }>
}
type Document = { servers: [{ url: string }]; paths: Record<string, Record<string, Operation>>; components: object }

const { body: document }: { body: Document } = await call('GET', 'openapi.json')
const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)
ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'paths', 'components'])
ajv.addSchema(document, 'document')

/** What the document finds wrong with an answer. */
function wrong(method: string, path: string, { status, body }: { status: number; body: unknown }): unknown {
  const response = document.paths[path]?.[method.toLowerCase()]?.responses[status]
  if (response === undefined) return `${method} ${path} does not say that it may answer ${status}`
  const pointer = ['paths', path, method.toLowerCase(), 'responses', status, 'content', 'application/json', 'schema']
  const escaped = pointer.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'))
  const validate = ajv.getSchema(`document#/${escaped.map(encodeURIComponent).join('/')}`)
  return validate?.(body) ? undefined : (validate?.errors ?? 'no schema')
}

/** Calls an endpoint, holds its answer against the document, and returns it. */
async function checked(method: string, path: string, parameters: Record<string, string> = {}, init: Init = {}) {
  const [route = '', query] = path.split('?')
  const filled = route.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(parameters[name] ?? ''))
  const answer = await call(method, query === undefined ? filled : `${filled}?${query}`, init)
  expect(wrong(method, `/${route}`, answer)).toBeUndefined()
  return answer
}

test('every endpoint of the index is in the document, and nothing else', async () => {
  const { body } = await call('GET', '')
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.slice(1)}`),
  )
  const listed = body.endpoints.map((it: string) => it.replaceAll(/:(\w+)/g, '{$1}'))
  expect(described.filter((it) => it !== 'GET ').sort()).toEqual(listed.sort())
})

test('each has a name of its own, and the parameters that are in its path', () => {
  const operations = Object.entries(document.paths).flatMap(([path, them]) =>
    Object.values(them).map((it) => ({ path, ...it })),
  )
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { path, parameters = [] } of operations) {
    const named = parameters.filter((it) => it.in === 'path').map(({ name }) => `{${name}}`)
    expect(path.match(/\{\w+\}/g) ?? []).toEqual(named)
  }
})

test('it is behind the guard, and names the address at which it was asked for', async () => {
  expect(document.servers).toEqual([{ url: '/api/symphony' }])
  expect(await call('GET', 'openapi.json', { token: '' })).toMatchObject({ status: 401 })
})

describe('what is answered is what the document says', () => {
  test('by those that dispatch, consume and count', async () => {
    registerHandler('Any', () => {})
    const json = { message: { type: 'Any', payload: {} }, options: { idempotencyKey: 'k' } }
    expect(await checked('POST', 'dispatch', {}, { json })).toMatchObject({ status: 201 })
    expect(await checked('POST', 'dispatch', {}, { json })).toMatchObject({ status: 200 })
    expect(await checked('POST', 'consume', {}, { json: { messageLimit: 5 } })).toMatchObject({ status: 200 })
    for (const path of ['', 'status', 'queue-depth', 'metrics', 'health', 'admin/stats'])
      expect(await checked('GET', path), path).toMatchObject({ status: 200 })
  })

  test('by those about messages', async () => {
    const { messageId } = await dispatch({ type: 'Any', payload: {} })
    expect(await checked('GET', 'admin/messages?type=Any')).toMatchObject({ status: 200 })
    expect(await checked('GET', 'admin/messages/{id}', { id: messageId })).toMatchObject({ status: 200 })
    const cancel = () => checked('POST', 'admin/messages/{id}/cancel', { id: messageId })
    expect(await cancel()).toMatchObject({ status: 200 })
    expect(await cancel()).toMatchObject({ status: 409 })
  })

  test('by those about dead letters', async () => {
    registerHandler('Bad', () => Promise.reject(new TypeError('no')))
    for (let n = 0; n < 4; n += 1) await dispatch({ type: 'Bad', payload: { n }, maxRetries: 0 })
    await consumeBatch()
    const { body } = await checked('GET', 'failed?limit=2')
    const [first, second] = body.messages
    expect(await checked('GET', 'failed/{id}', first)).toMatchObject({ status: 200 })
    expect(await checked('POST', 'failed/{id}/retry', first)).toMatchObject({ status: 200 })
    expect(await checked('DELETE', 'failed/{id}', second)).toMatchObject({ status: 200 })
    expect(await checked('POST', 'failed/retry', {}, { json: { type: 'Bad' } })).toMatchObject({ status: 200 })
    expect(await checked('DELETE', 'failed?all=true')).toMatchObject({ status: 200 })
  })

  test('by those about schedules', async () => {
    const name = 'nightly'
    await schedule({ type: 'Any', payload: {} }, { cron: '0 3 * * *' }, { name })
    for (const [method, path] of [
      ['GET', 'schedules'],
      ['GET', 'schedules/{name}'],
      ['POST', 'schedules/{name}/pause'],
      ['POST', 'schedules/{name}/resume'],
      ['POST', 'schedules/{name}/run'],
      ['DELETE', 'schedules/{name}'],
    ] as const)
      expect(await checked(method, path, { name }), path).toMatchObject({ status: 200 })
  })

  test('by those for operators', async () => {
    const { messageId: id } = await dispatch({ type: 'Any', payload: {} })
    expect(await checked('GET', 'admin/messages/{id}/why', { id })).toMatchObject({ status: 200 })
    const json = { queue: 'documented' }
    expect(await checked('POST', 'admin/pauses', {}, { json })).toMatchObject({ status: 200 })
    expect(await checked('GET', 'admin/pauses')).toMatchObject({ status: 200 })
    expect(await checked('POST', 'admin/pauses/resume', {}, { json })).toMatchObject({ status: 200 })
    expect(await checked('POST', 'admin/pauses/resume', {}, { json })).toMatchObject({ body: { resumed: null } })
    const asked = { json: { action: 'cancel', filter: {} } }
    expect(await checked('POST', 'admin/operations/preview', {}, asked)).toMatchObject({ status: 200 })
    const { body } = await checked('POST', 'admin/operations', {}, asked)
    expect(await checked('POST', 'admin/operations/{id}/step', body.operation)).toMatchObject({ status: 200 })
    expect(await checked('POST', 'admin/operations/{id}/abort', body.operation)).toMatchObject({ status: 200 })
    expect(await checked('GET', 'admin/audit?limit=5')).toMatchObject({ status: 200 })
    expect(await checked('GET', 'admin/audit/{id}', body.operation)).toMatchObject({ status: 200 })
    expect(await checked('POST', 'admin/workers/stop', {}, { json: {} })).toMatchObject({ status: 200 })
  })

  test('where something is wrong, or not there', async () => {
    const id = '00000000-0000-0000-0000-000000000000'
    expect(await checked('GET', 'failed?limit=none')).toMatchObject({ status: 400 })
    expect(await checked('GET', 'admin/messages?query=(')).toMatchObject({ status: 400 })
    expect(await checked('POST', 'failed/retry')).toMatchObject({ status: 400 })
    expect(await checked('GET', 'failed/{id}', { id })).toMatchObject({ status: 404 })
    expect(await checked('POST', 'dispatch', {}, { body: 'text' })).toMatchObject({ status: 415 })
    const large = { json: { type: 'x'.repeat(70_000) } }
    expect(await checked('POST', 'failed/retry', {}, large)).toMatchObject({ status: 413 })
    expect(await checked('GET', 'status', {}, { token: '' })).toMatchObject({ status: 401 })
  })
})
