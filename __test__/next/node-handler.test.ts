import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bearerToken, createSymphonyRoute, createWorkerRoute, toNodeHandler } from '@leadmap/symphony/http'
import { expect, onTestFinished, test } from 'vitest'
import { createQueue } from '../support/symphony.js'

await createQueue()

const route = createSymphonyRoute({ authorize: bearerToken('token') })

/** A server of `node:http` before which something may have happened to the request; its address. */
async function serve(before: (request: IncomingMessage) => Promise<unknown> = async () => undefined): Promise<string> {
  const handler = toNodeHandler(route)
  const server = createServer(async (request, response) => {
    await before(request)
    await handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }
const body = JSON.stringify({ message: { type: 'Any', payload: { text: 'größer' } } })

test('a body that is still to come, and one that a parser has read, are dispatched', async () => {
  const parse = async (request: IncomingMessage & { body?: unknown }) => {
    let text = ''
    for await (const chunk of request) text += chunk
    request.body = JSON.parse(text)
  }
  for (const url of [await serve(), await serve(parse)]) {
    const response = await fetch(`${url}/api/symphony/dispatch`, { method: 'POST', headers, body })
    expect([response.status, await response.json()]).toMatchObject([201, { success: true }])
  }
})

test('the path is the one that was asked for, below whatever the handler is mounted', async () => {
  const url = await serve(async (request: IncomingMessage & { originalUrl?: string }) => {
    request.originalUrl = request.url
    request.url = '/status'
  })
  expect((await fetch(`${url}/api/symphony/queue-depth`, { headers })).status).toBe(200)
  expect((await fetch(`${url}/api/symphony/nothing`, { headers })).status).toBe(404)
  expect((await fetch(`${url}/api/symphony/queue-depth`)).status).toBe(401)
})

test('the route itself answers what there is', async () => {
  const response = await fetch(`${await serve()}/api/symphony`, { headers })
  expect(await response.json()).toMatchObject({
    success: true,
    endpoints: expect.arrayContaining(['POST dispatch', 'GET failed/:id']),
  })
})

test('a method that no Request has is refused, and the process goes on', async () => {
  const url = await serve()
  const ask = (method: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      send(`${url}/api/symphony/status`, { method, headers }, resolve).on('error', reject).end()
    })
  const { statusCode, headers: answered } = await ask('TRACE')
  expect([statusCode, answered.allow]).toEqual([405, 'DELETE, GET, POST'])
  expect((await ask('GET')).statusCode).toBe(200)
})

test('anything but a Request is refused at once, with the remedy', () => {
  const foreign = { url: '/api/symphony/status', headers: { authorization: 'Bearer token' }, method: 'GET' }
  for (const { handle } of [route, createWorkerRoute()]) {
    for (const given of [foreign, undefined, null]) {
      expect(() => handle(given as unknown as Request)).toThrow('toNodeHandler(route)')
    }
  }
})

test('a handler for Node.js refuses what is not a route, and what is not of Node.js, at once', () => {
  for (const given of [{}, undefined, route.handle]) {
    expect(() => toNodeHandler(given as typeof route)).toThrow('wants a route, such as createSymphonyRoute() gives')
  }
  const handler = toNodeHandler(route) as unknown as (given: unknown) => Promise<void>
  for (const given of [new Request('http://localhost/api/symphony'), { req: {} }, {}, undefined]) {
    expect(() => handler(given)).toThrow('call route.handle(request) itself')
  }
})
