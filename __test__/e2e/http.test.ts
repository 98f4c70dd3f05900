import { beforeEach, describe, expect, test } from 'vitest'
import { drain, inParallel, startApplication, waiting } from './support/application.js'
import { campaignSteps, email, numbered, sms } from './support/messages.js'

const application = await startApplication()
const { database, mail } = application

test('1,000 messages of three types, dispatched and consumed over HTTP, have one effect each', async () => {
  const addresses = numbered(500, (number) => `mail-${number}@example.com`)
  const leads = numbered(200, (number) => `lead-${number}@example.com`)
  const phones = numbered(300, (number) => `+1212${1_000 + number}`)
  const messages = [...addresses.map(email), ...(await campaignSteps(application, leads)), ...phones.map(sms)]
  messages.sort(() => Math.random() - 0.5)

  const answers = await inParallel(messages, 16, (message) => application.symphony('POST', 'dispatch', message))
  expect(answers.map(({ status }) => status)).toEqual(messages.map(() => 201))
  expect(new Set(answers.map(({ body }) => body.messageId)).size).toBe(1_000)

  await drain(application)
  expect(mail.mails.map(({ to }) => to).sort()).toEqual([...addresses, ...leads].sort())
  expect([...application.sms.sent.values()].map(({ to }) => to).sort()).toEqual([...phones].sort())
  expect(application.sms.repeats()).toBe(0)
  expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  const [noted] = await database.query('SELECT count(*)::int AS count FROM deliveries')
  expect(noted).toEqual({ count: 1_000 })
})

describe('afterwards', () => {
  beforeEach(() => application.symphony('DELETE', 'failed', { all: true }))

  const dispatch = (message: object) => application.symphony('POST', 'dispatch', message)
  const arrivals = (to: string) => mail.mails.filter((one) => one.to === to).length

  test('a message with a key is there once', async () => {
    const message = { ...sms('+1212777'), options: { idempotencyKey: 'once' } }
    const [first, second] = [await dispatch(message), await dispatch(message)]
    expect([first.status, first.body.status, second.status, second.body.status]).toEqual([
      201,
      'queued',
      200,
      'duplicate',
    ])
    expect(second.body.messageId).toBe(first.body.messageId)
    await drain(application)
    expect([...application.sms.sent.values()].filter(({ to }) => to === '+1212777')).toHaveLength(1)
  })

  test('what is refused for now is retried', async () => {
    await dispatch(email('busy-1@example.com'))
    await dispatch(sms('+1503111'))
    await drain(application)
    expect([mail.refused('busy-1@example.com'), arrivals('busy-1@example.com')]).toEqual([2, 1])
    expect([application.sms.refused('+1503111'), application.sms.sent.size]).toEqual([2, expect.any(Number)])
    expect([...application.sms.sent.values()].filter(({ to }) => to === '+1503111')).toHaveLength(1)
    expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  })

  test('what is refused for good is a dead letter, and arrives after a redrive', async () => {
    await dispatch(email('nobody-1@example.com'))
    await drain(application)
    expect(mail.refused('nobody-1@example.com')).toBe(1)

    const { body } = await application.symphony('GET', 'failed?type=EmailMessage&full=true')
    expect(body.messages).toMatchObject([{ type: 'EmailMessage', payload: { toEmail: 'nobody-1@example.com' } }])
    const [{ id }] = body.messages
    const shown = await application.symphony('GET', `failed/${id}`)
    expect(shown.body.message.error).toContain('550')

    mail.accept('nobody-1@example.com')
    const retried = await application.symphony('POST', `failed/${id}/retry`)
    expect(retried.body).toMatchObject({ success: true, originalFailedMessageId: id, newMessageId: expect.any(String) })
    await drain(application)
    expect(arrivals('nobody-1@example.com')).toBe(1)
    expect((await application.symphony('GET', `failed/${id}`)).status).toBe(404)
    expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  })

  test('dead letters are redriven and deleted by a filter', async () => {
    const addresses = numbered(3, (number) => `nobody-of-many-${number}@example.com`)
    for (const message of [...addresses.map(email), sms('+1400222')]) await dispatch(message)
    await drain(application)
    expect((await waiting(application)).deadLetters).toBe(4)

    for (const address of addresses) mail.accept(address)
    const retried = await application.symphony('POST', 'failed/retry', { type: 'EmailMessage' })
    expect(retried.body).toMatchObject({ success: true, retried: 3 })
    const removed = await application.symphony('DELETE', 'failed', { type: 'SMSMessage' })
    expect(removed.body).toMatchObject({ success: true, removed: 1 })
    await drain(application)
    expect(addresses.map(arrivals)).toEqual([1, 1, 1])
    expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  })

  test('the depth of the queues', async () => {
    await dispatch(email('later@example.com'))
    await dispatch({ ...sms('+1212888'), options: { delay: '1h' } })
    const { status, body } = await application.symphony('GET', 'queue-depth')
    expect(status).toBe(200)
    expect(body.queues).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ transport: 'email', queue: 'email', pending: 1 }),
        expect.objectContaining({ transport: 'async', queue: 'async', delayed: 1 }),
      ]),
    )
  })

  test('the status of everything', async () => {
    await drain(application)
    await dispatch(sms('+1400333'))
    await drain(application)
    await dispatch({ ...sms('+1212999'), options: { delay: '1h' } })
    const { status, body } = await application.symphony('GET', 'status')
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, failedMessages: 1, queue: { pending: 0, processing: 0, failed: 1 } })
    expect(body.queue.delayed).toBeGreaterThan(0)
    expect(body.queue.completed).toBeGreaterThanOrEqual(1_000)
  })

  test('the figures of the last hour, as JSON and as Prometheus reads them', async () => {
    const { status, body } = await application.symphony('GET', 'metrics?minutes=60')
    expect(status).toBe(200)
    const { byMessageType, totalProcessed, p50ProcessingTime, p99ProcessingTime, errors } = body.metrics
    // Each of the 200 campaign steps dispatched an e-mail of its own.
    expect(byMessageType.EmailMessage.totalSucceeded).toBeGreaterThanOrEqual(700)
    expect(byMessageType.CampaignMessage.totalSucceeded).toBe(200)
    expect(byMessageType.SMSMessage.totalSucceeded).toBeGreaterThanOrEqual(300)
    expect(totalProcessed).toBeGreaterThanOrEqual(1_200)
    expect(p50ProcessingTime).toBeGreaterThan(0)
    expect(p99ProcessingTime).toBeGreaterThanOrEqual(p50ProcessingTime)
    expect(errors.length).toBeGreaterThan(0)
    const text = await application.symphony('GET', 'metrics?format=prometheus')
    expect(text.body).toMatch(/^# TYPE /m)
  })

  test('its health', async () => {
    const { status, body } = await application.symphony('GET', 'health')
    expect([status, body.success]).toEqual([200, true])
    expect(body.health.checks.length).toBeGreaterThan(0)
    expect(body.health.metrics).toMatchObject({ queueDepth: expect.any(Number), errorRate: expect.any(Number) })
  })

  test('a message is found, and taken out before its time', async () => {
    const { body } = await dispatch({ ...sms('+1212555'), options: { delay: '1h' } })
    const path = `admin/messages/${body.messageId}`
    const found = await application.symphony('GET', path)
    expect(found.body.message).toMatchObject({ id: body.messageId, type: 'SMSMessage', payload: { to: '+1212555' } })
    expect((await application.symphony('POST', `${path}/cancel`)).status).toBe(200)
    expect((await application.symphony('POST', `${path}/cancel`)).status).toBe(409)
  })

  test('schedules are listed, paused, resumed and run', async () => {
    const listed = await application.symphony('GET', 'schedules')
    expect(listed.body.schedules).toMatchObject([{ name: 'daily-summary', status: 'active' }])
    const act = async (action: string) => (await application.symphony('POST', `schedules/daily-summary/${action}`)).body
    expect((await act('pause')).schedule.status).toBe('paused')
    expect((await act('resume')).schedule.status).toBe('active')
    expect(arrivals('owner@leadmap.example')).toBe(0)
    expect((await act('run')).success).toBe(true)
    await drain(application)
    expect(arrivals('owner@leadmap.example')).toBe(1)
  })
})
