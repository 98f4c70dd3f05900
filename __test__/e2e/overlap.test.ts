import { expect, test } from 'vitest'
import { inParallel, startApplication, waiting } from './support/application.js'
import { email, numbered, sms } from './support/messages.js'

const application = await startApplication({ latency: 5 })
const { mail } = application
const tenTimes = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 10 }, work))

test('the worker called ten times at once handles each message once', async () => {
  const addresses = numbered(200, (number) => `mail-${number}@example.com`)
  const phones = numbered(100, (number) => `+1212${number}`)
  const messages = [...addresses.map(email), ...phones.map(sms)]
  await inParallel(messages, 16, (message) => application.symphony('POST', 'dispatch', message))

  const results = await tenTimes(() => application.cron('symphony-worker'))
  expect(results.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(300)
  expect(results.reduce((sum, { lost }) => sum + lost, 0)).toBe(0)
  expect(mail.mails.map(({ to }) => to).sort()).toEqual([...addresses].sort())
  expect([application.sms.sent.size, application.sms.repeats()]).toEqual([100, 0])
  expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
})
