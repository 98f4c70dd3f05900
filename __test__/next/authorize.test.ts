/** What `authorize` is told, and what it cannot be led to overlook. */
import { close, schedule, setConfig } from '@leadmap/symphony'
import { createSymphonyRoute, createWorkerRoute } from '@leadmap/symphony/next'
import { describe, expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { read, request } from './support.js'

const database = await createQueue()
await schedule({ type: 'Planned', payload: {} }, { cron: '0 9 * * *' }, { name: 'a/b c' })

describe('an `authorize` that keeps some endpoints back', () => {
  const asked: Array<readonly string[]> = []
  const byPath = createSymphonyRoute({
    authorize: (_, { path }) => {
      asked.push(path)
      return path[0] !== 'admin'
    },
  })
  const byUrl = createSymphonyRoute({
    authorize: (it) => !new URL(it.url).pathname.startsWith('/api/symphony/admin'),
  })

  const ways = ['admin/stats', '%61dmin/stats', 'a%64min/stats', '/admin/stats', 'x/../admin/stats', '%2e/admin/stats']
  test.each(ways)('is not passed by %s', async (path) => {
    for (const route of [byPath, byUrl]) {
      const { status } = await read(route.handle(request(`/api/symphony/${path}`)))
      expect([400, 401]).toContain(status)
    }
  })

  test('lets the others through, and gets their path decoded', async () => {
    expect((await byPath.handle(request('/api/symphony/schedules/a%2Fb%20c'))).status).toBe(200)
    expect(asked.at(-1)).toEqual(['schedules', 'a/b c'])
    const context = { params: Promise.resolve({ symphony: ['schedules', 'a%2Fb%20c'] }) }
    expect((await byPath.GET(request('/elsewhere/schedules/a%2fb%20c/'), context)).status).toBe(200)
    expect(asked.at(-1)).toEqual(['schedules', 'a/b c'])
  })

  test('gets an empty path from a cron route', async () => {
    let path: readonly string[] | undefined
    const route = createWorkerRoute({
      authorize: (_, asked) => {
        path = asked.path
        return false
      },
    })
    expect((await route.GET(request('/api/cron/%61', { token: '' }))).status).toBe(401)
    expect(path).toEqual([])
  })
})

test('what cannot be served now says when to try again', async () => {
  const route = createSymphonyRoute({ authorize: () => true })
  await close()
  setConfig({ database: { url: 'postgres://nobody@127.0.0.1:1/nowhere' } })
  for (const path of ['status', 'health', 'failed']) {
    const response = await route.handle(request(`/api/symphony/${path}`))
    expect([response.status, Number(response.headers.get('retry-after')) >= 1], path).toEqual([503, true])
  }
  const { body } = await read(route.handle(request('/api/symphony/admin/stats')))
  expect(body.error).toEqual({
    code: 'SYMPHONY_CONNECTION_FAILED',
    message: expect.stringContaining('try again in 5 s'),
  })
  setConfig({ database: { url: database.url } })
})
