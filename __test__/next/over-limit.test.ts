/** Bodies over the limit, over real connections: the sender finds out why it was refused. */
import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { createSymphonyRoute } from '@leadmap/symphony/next'
import { afterAll, expect, test } from 'vitest'
import { countAll, createQueue } from '../support/symphony.js'

const database = await createQueue()
const route = createSymphonyRoute({ authorize: () => true })

/** As frameworks do it: the body is a stream from the socket. */
const server = createServer(async (incoming, outgoing) => {
  const { method, headers } = incoming
  const init = { method, headers: headers as Record<string, string>, body: Readable.toWeb(incoming), duplex: 'half' }
  const bare = method === 'GET' ? { method, headers } : init
  const response = await route.handle(new Request(`http://localhost${incoming.url}`, bare as RequestInit))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
}).listen(0, '127.0.0.1')
await once(server, 'listening')
afterAll(() => void server.close())
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}/api/symphony/dispatch`
const headers = { 'content-type': 'application/json', connection: 'close' }
const TOO_LARGE = { success: false, error: { code: 'SYMPHONY_BODY_TOO_LARGE' } }

test.each([2, 20, 60])('%i MB are answered 413 to a client that first sends all', async (megabytes) => {
  const asked = send(url, { method: 'POST', headers: { ...headers, 'content-length': megabytes * 1_000_000 } })
  const answered = once(asked, 'response')
  const piece = Buffer.alloc(1_000_000, 'x')
  for (let sent = 0; sent < megabytes; sent += 1) {
    if (!asked.write(piece)) await once(asked, 'drain')
  }
  asked.end()
  const [response] = await answered
  let body = ''
  for await (const chunk of response) body += chunk
  expect([response.statusCode, JSON.parse(body)]).toMatchObject([413, TOO_LARGE])
})

test('fetch() gets the answer too, again and again', async () => {
  const body = JSON.stringify({ message: { type: 'Any', payload: { text: 'x'.repeat(5_000_000) } } })
  const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(url, { method: 'POST', headers, body })))
  for (const answer of answers) expect([answer.status, await answer.json()]).toMatchObject([413, TOO_LARGE])
  expect(await countAll(database)).toBe(0)
})

test('a connection that stays open serves the next request', async () => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = `POST /api/symphony/dispatch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
  socket.write(`${head}content-length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`)
  socket.write('GET /api/symphony/nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += chunk
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 404'])
})

test('a sender that announces much and sends nothing is answered, and so is one that hangs up', async () => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST /api/symphony/dispatch HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000000\r\n')
  socket.write('content-type: application/json\r\nconnection: close\r\n\r\n{')
  const [chunk] = await once(socket, 'data')
  expect(String(chunk)).toMatch(/^HTTP\/1\.1 413/)
  socket.destroy()
  const gone = connect(port, '127.0.0.1')
  await once(gone, 'connect')
  gone.write('POST /api/symphony/dispatch HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000000\r\n\r\n{')
  gone.destroy()
  expect((await fetch(`http://127.0.0.1:${port}/api/symphony/status`, { headers })).status).toBe(200)
})
