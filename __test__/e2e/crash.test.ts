import { expect, test } from 'vitest'
import { inParallel, startApplication, waiting } from './support/application.js'
import { email, numbered } from './support/messages.js'

/** Of the claims, in milliseconds: after it, what a dead server held is free. */
const lease = 2_000
const concurrency = 20

const application = await startApplication({ env: { SYMPHONY_WORKER_LEASE: `${lease}ms` }, latency: 20 })
const { mail } = application

test('a server killed in the middle of a drain: the next cron call finishes the work, nothing is lost', async () => {
  const addresses = numbered(300, (number) => `mail-${number}@example.com`)
  await inParallel(addresses.map(email), 16, (message) => application.symphony('POST', 'dispatch', message))

  const drained = application.cron('symphony-worker').catch((error: Error) => error)
  await expect.poll(() => mail.mails.length).toBeGreaterThan(60)
  await application.kill()
  expect(await drained).toBeInstanceOf(Error)
  expect((await waiting(application)).messages).toBeGreaterThan(0)
  const before = mail.mails.length

  await application.restart()
  await new Promise((resolve) => setTimeout(resolve, lease))
  const result = await application.cron('symphony-worker')
  expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  expect([...new Set(mail.mails.map(({ to }) => to))].sort()).toEqual([...addresses].sort())
  // A process that dies between the mail and its note sends it again, with the same Message-ID; no more than ran at a
  // time.
  const repeated = mail.mails.length - addresses.length
  expect(repeated).toBeLessThanOrEqual(concurrency)
  expect(new Set(mail.mails.map(({ id }) => id)).size).toBe(addresses.length)
  console.log(`killed after ${before} of 300 mails; the next call handled ${result.succeeded}; ${repeated} sent twice`)
})
