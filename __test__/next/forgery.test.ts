/** Requests that another site makes a browser send: its cookie comes along, its owner did not ask. */
import { getRegistry, registerHandler } from '@leadmap/symphony'
import { createSymphonyRoute, createWorkerRoute } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test } from 'vitest'
import { countAll, createQueue, emptyTables } from '../support/symphony.js'
import { read } from './support.js'

const database = await createQueue()
beforeEach(async () => {
  await emptyTables(database)
  getRegistry().clear()
  registerHandler('Any', () => undefined)
})

const authorize = () => true
const route = createSymphonyRoute({ authorize })
const worker = createWorkerRoute({ authorize })

type Headers = Record<string, string>
const HOST = 'queue.example.com:8080'
/** Plain HTTP: no browser says there where a request comes from. */
const url = (path: string) => `http://${HOST}${path}`
const COOKIE = { cookie: 'session=1' }
const JSON_TYPE = { 'content-type': 'application/json' }
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0' }

const dispatch = (headers: Headers) => {
  const body = JSON.stringify({ message: { type: 'Any', payload: {} } })
  return read(route.handle(new Request(url('/api/symphony/dispatch'), { method: 'POST', headers, body })))
}
/** A POST that needs no body, as a form of another site can send it. */
const consume = (headers: Headers) =>
  read(route.handle(new Request(url('/api/symphony/consume'), { method: 'POST', headers })))
/** A GET with effects, as an image of another site can send it. */
const drain = (headers: Headers) => read(worker.GET(new Request(url('/api/cron/symphony-worker'), { headers })))

const calls: Array<[string, (headers: Headers) => Promise<{ status: number }>]> = [
  ['POST with a body', dispatch],
  ['POST without a body', consume],
  ['GET with effects', drain],
]

describe.each(calls)('a %s', (_, call) => {
  const refused: Array<[string, Headers]> = [
    ['of another origin', { ...COOKIE, origin: 'http://evil.example' }],
    ['of another port', { ...COOKIE, origin: 'http://queue.example.com:9090' }],
    ['of an origin that hides itself', { ...COOKIE, origin: 'null' }],
    ['of an origin that is none', { ...COOKIE, origin: 'queue.example.com:8080' }],
    ['of a host that only begins alike', { ...COOKIE, origin: `http://${HOST}.evil.example` }],
    ['of another origin, in a header like JSON', { ...COOKIE, ...JSON_TYPE, origin: 'http://evil.example' }],
    ['that the browser calls cross-site', { ...COOKIE, origin: `http://${HOST}`, 'sec-fetch-site': 'cross-site' }],
    ['that the browser calls same-site', { ...COOKIE, 'sec-fetch-site': 'same-site' }],
  ]
  test.each(refused)('%s is refused', async (_, headers) => {
    expect(await call({ ...JSON_TYPE, ...headers })).toMatchObject({
      status: 403,
      body: { error: { code: 'SYMPHONY_FORBIDDEN', message: expect.any(String) } },
    })
    expect(await countAll(database)).toBe(0)
  })

  const passing: Array<[string, Headers]> = [
    ['of its own origin', { ...COOKIE, origin: `http://${HOST}`, host: HOST }],
    ['of its own origin, behind a proxy', { ...COOKIE, origin: 'https://a.example', 'x-forwarded-host': 'a.example' }],
    ['of its own origin, with the default port', { ...COOKIE, origin: 'https://a.example', host: 'a.example:443' }],
    ['that the browser calls its own', { ...COOKIE, 'sec-fetch-site': 'same-origin' }],
    ['that its user typed', { ...COOKIE, 'sec-fetch-site': 'none' }],
    ['of another service, by a token', { authorization: 'Bearer abc' }],
    ['of a program, by nothing', { 'user-agent': 'curl/8.5.0' }],
    ['with a header that no other site can add', { ...COOKIE, ...BROWSER, 'x-symphony-request': '1' }],
  ]
  test.each(passing)('%s passes', async (_, headers) => {
    expect((await call({ ...JSON_TYPE, ...headers })).status).toBeLessThan(300)
  })
})

describe('what a browser sends without saying from where', () => {
  const quiet: Array<[string, Headers]> = [
    ['with a cookie', COOKIE],
    ['with a password that it remembers', { authorization: 'Basic dTpw' }],
    ['from inside the network', BROWSER],
  ]
  test.each(quiet)('%s is refused, unless another site would have to ask before', async (_, headers) => {
    for (const call of [consume, drain]) {
      const { status, body } = await call(headers)
      expect(status).toBe(403)
      expect(body.error.message).toContain('x-symphony-request')
    }
    // No form can send JSON: a page of another site has to ask, and nobody answers.
    expect((await dispatch({ ...headers, ...JSON_TYPE })).status).toBe(201)
  })

  test('reads, and may', async () => {
    for (const headers of [COOKIE, { ...COOKIE, origin: 'http://evil.example' }]) {
      expect((await read(route.handle(new Request(url('/api/symphony/status'), { headers })))).status).toBe(200)
    }
  })
})
