import { expect, test } from 'vitest'
import { example } from '../../scripts/example/paths.mjs'
import { run } from '../../scripts/setup/process.mjs'
import { drain, inParallel, startApplication, waiting } from './support/application.js'
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

/** Twenty schedules, made with the package that the example has. */
const SCHEDULES = `
  import { schedule } from '@leadmap/symphony'
  for (let number = 1; number <= 20; number += 1) {
    const to = 'schedule-' + number + '@example.com'
    const payload = { emailId: to, userId: 'u1', mailboxId: 'm1', toEmail: to, subject: 'Hello', html: '<p>Hi</p>' }
    await schedule({ type: 'EmailMessage', payload }, { every: '1h' }, { name: 'e2e-' + number })
  }
`

test('the scheduler called ten times at once fires each schedule once', async () => {
  const env = { SYMPHONY_DATABASE_URL: application.database.url }
  await run(process.execPath, ['--input-type=module', '--eval', SCHEDULES], { cwd: example, env })
  await application.database.query(`UPDATE symphony.messenger_schedules SET next_run_at = now() - interval '1 second'`)

  const results = await tenTimes(() => application.cron('symphony-scheduler'))
  expect(results.reduce((sum, { dispatched }) => sum + dispatched, 0)).toBe(21)
  mail.mails.length = 0
  await drain(application)
  const addresses = [...numbered(20, (number) => `schedule-${number}@example.com`), 'owner@leadmap.example']
  expect(mail.mails.map(({ to }) => to).sort()).toEqual(addresses.sort())
})
