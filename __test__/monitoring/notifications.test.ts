import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { consumeBatch, dispatchBatch, HandlerError, HandlerRegistry } from '@leadmap/symphony'
import {
  configureNotifications,
  emailChannel,
  type Notification,
  slackChannel,
  webhookChannel,
} from '@leadmap/symphony/admin'
import { afterAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { defaultSymphony } from '../../lib/default/instance.js'
import { partsOf } from '../../lib/symphony.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const failures = () => partsOf(defaultSymphony()).failures
const database = await createQueue()

interface Call {
  headers: Record<string, unknown>
  body: string
}
let calls: Call[] = []
let status = 200
let location: string | undefined
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  calls.push({ headers: request.headers, body })
  response.writeHead(status, location === undefined ? {} : { location }).end()
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
afterAll(() => void server.close())

const registry = new HandlerRegistry()
registry.register('Bad', () => Promise.reject(new HandlerError('hunter2', false)))
const many = (count: number) => Array.from({ length: count }, () => ({ type: 'Bad', payload: { secret: 'hunter2' } }))

beforeEach(async () => {
  await emptyTables(database, 'messenger_notifications')
  calls = []
  status = 200
  location = undefined
  onTestFinished(() => configureNotifications())
})

test('a webhook is called once for many failures, signed, and without the payload', async () => {
  configureNotifications({ channels: [webhookChannel({ url, secret: 'key' })] })
  await dispatchBatch(many(20))
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 20 })
  expect(calls).toHaveLength(1)
  const [{ headers, body }] = calls as [Call]
  expect(JSON.parse(body)).toMatchObject({
    severity: 'error',
    messageType: 'Bad',
    errorClass: 'HandlerError',
    transport: 'supabase',
  })
  expect(body).not.toContain('hunter2')
  const [, seconds, signature] = /^t=(\d+),v1=([\da-f]{64})$/.exec(String(headers['symphony-signature'])) ?? []
  expect(signature).toBe(createHmac('sha256', 'key').update(`${seconds}.${body}`).digest('hex'))
})

test('invocations that forget everything still tell once, and later how often it was', async () => {
  for (let call = 0; call < 8; call += 1) {
    configureNotifications({ channels: [webhookChannel({ url })] })
    await dispatchBatch(many(1))
    await consumeBatch({ registry })
  }
  expect(calls).toHaveLength(1)
  await database.query(`UPDATE symphony.messenger_notifications SET sent_at = now() - interval '1 hour'`)
  configureNotifications({ channels: [webhookChannel({ url })] })
  await dispatchBatch(many(1))
  await consumeBatch({ registry })
  expect(calls.map(({ body }) => JSON.parse(body) as Notification)).toMatchObject([
    { occurrences: 1, suppressed: 0 },
    { occurrences: 9, suppressed: 7 },
  ])
})

test('of fifty invocations that fail at the same time one tells', async () => {
  const invocations = Array.from({ length: 50 }, () => {
    // Its own memory, which is empty: the database alone can say who tells.
    configureNotifications({ channels: [webhookChannel({ url })] })
    failures().note({
      severity: 'error',
      messageType: 'Bad',
      errorClass: 'HandlerError',
      messageId: '1',
      transport: 'supabase',
    })
    return failures().settle()
  })
  await Promise.all(invocations)
  const seen = () => database.query('SELECT occurrences::int, suppressed::int FROM symphony.messenger_notifications')
  await expect.poll(seen).toEqual([{ occurrences: 50, suppressed: 49 }])
  expect(calls).toHaveLength(1)
})

test('nobody is told below the threshold', async () => {
  const told = vi.fn()
  configureNotifications({ channels: [emailChannel({ send: told })], threshold: 3 })
  for (const calls of [0, 0, 1]) {
    await dispatchBatch(many(1))
    await consumeBatch({ registry })
    expect(told).toHaveBeenCalledTimes(calls)
  }
  expect(told.mock.calls[0]?.[0]).toMatchObject({ subject: 'Bad became a dead letter: HandlerError' })
})

test('a channel that fails changes nothing, for the message or for the others', async () => {
  const error = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => error.mockRestore())
  const told = vi.fn()
  status = 500
  configureNotifications({ channels: [slackChannel({ url }), emailChannel({ send: told })] })
  await dispatchBatch(many(1))
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
  expect(JSON.parse(calls[0]?.body ?? '')).toEqual({ text: expect.stringMatching(/^Bad became a dead letter/) })
  expect(told).toHaveBeenCalledTimes(1)
  expect(error.mock.calls.flat().join()).toMatch(/could not be sent.*answered 500/)
})

test('a webhook follows no redirect: its body and signature are for the address that was given', async () => {
  const error = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => error.mockRestore())
  for (const code of [301, 302, 307, 308]) {
    const elsewhere: string[] = []
    const other = createServer((request, response) => {
      elsewhere.push(request.url ?? '')
      response.end()
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/elsewhere`
    status = code
    const channel = webhookChannel({ url, secret: 'key', headers: { authorization: 'Bearer secret' } })
    const sent = channel.send({ title: 'Bad' } as Notification, AbortSignal.timeout(5_000))
    await expect(sent).rejects.toThrow(`answered ${code}, a redirect, which is not followed`)
    expect(elsewhere).toEqual([])
    other.close()
  }
  expect(calls).toHaveLength(4)
})

test('what a message is called is text for Slack, and nothing else', async () => {
  const notification = {
    title: '<!channel> <https://evil.example|click> & more became a dead letter: Error',
    messageId: '1',
    transport: 'supabase',
    occurrences: 1,
    suppressed: 0,
  } as Notification
  await slackChannel({ url }).send(notification, AbortSignal.timeout(5_000))
  const { text } = JSON.parse(calls[0]?.body ?? '')
  expect(text.split('\n')[0]).toBe(
    '&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; more became a dead letter: Error',
  )
})

test('options that do not fit are refused', () => {
  expect(() => configureNotifications({ channels: [], threshold: 0 })).toThrow(/options\.threshold: got 0/)
  expect(() => configureNotifications({ channels: [], throttle: 'soon' as '1s' })).toThrow(/options\.throttle/)
})
