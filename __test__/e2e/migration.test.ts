import { expect, test } from 'vitest'
import { type Application, drain, startApplication, waiting } from './support/application.js'
import { numbered } from './support/messages.js'

const OFF = { SYMPHONY_ENABLED: 'false' }

const application = await startApplication({ env: OFF })
const { database, mail } = application
const crons = ['process-email-queue', 'process-campaigns', 'process-sms-drips']

/** One of each: a row of `email_queue`, a campaign of two steps, a drip of two texts. */
async function work(name: string): Promise<void> {
  await application.call('POST', '/api/emails', {
    userId: 'u1',
    mailboxId: 'm1',
    toEmail: `${name}-single@example.com`,
    subject: 'Hello',
    html: '<p>Hello</p>',
  })
  const [campaign] = await database.query(`INSERT INTO campaigns (user_id, name) VALUES ('u1', $1) RETURNING id`, [
    name,
  ])
  await database.query(
    `INSERT INTO campaign_steps (campaign_id, step_number, subject, html)
     SELECT $1, number, 'Step ' || number, '<p>' FROM generate_series(1, 2) AS number`,
    [campaign?.id],
  )
  await database.query('INSERT INTO campaign_recipients (campaign_id, email) SELECT $1, unnest($2::text[])', [
    campaign?.id,
    numbered(5, (number) => `${name}-lead-${number}@example.com`),
  ])
  const [drip] = await database.query(`INSERT INTO sms_drips (user_id, name) VALUES ('u1', $1) RETURNING id`, [name])
  await database.query(
    `INSERT INTO sms_drip_texts (drip_id, position, text) SELECT $1, number, 'Text ' || number FROM generate_series(1, 2) AS number`,
    [drip?.id],
  )
  await database.query('INSERT INTO sms_drip_enrollments (drip_id, phone) SELECT $1, unnest($2::text[])', [
    drip?.id,
    numbered(5, (number) => `+1${name.length}212${number}`),
  ])
}

/** Each mail and SMS of `work(name)` that arrived, sorted. */
function arrived(name: string): string[] {
  const mails = mail.mails.filter(({ to }) => to.startsWith(name)).map(({ to, subject }) => `${to} ${subject}`)
  const texts = [...application.sms.sent.values()].filter(({ to }) => to.startsWith(`+1${name.length}212`))
  return [...mails, ...texts.map(({ to, text }) => `${to} ${text}`)].sort()
}

function expected(name: string): string[] {
  const steps = [1, 2]
  const mails = numbered(5, (number) => `${name}-lead-${number}@example.com`)
  const phones = numbered(5, (number) => `+1${name.length}212${number}`)
  return [
    `${name}-single@example.com Hello`,
    ...mails.flatMap((to) => steps.map((step) => `${to} Step ${step}`)),
    ...phones.flatMap((to) => steps.map((step) => `${to} Text ${step}`)),
  ].sort()
}

/** As Vercel would for some minutes. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) for (const cron of crons) await application.cron(cron)
}

const unfinished = ({ database }: Application) =>
  database.query(`SELECT name FROM campaigns WHERE status <> 'completed'`)

test('with the flags off the old cron routes do the work, and Symphony has no message', async () => {
  await work('old')
  await minutes(4)
  expect(arrived('old')).toEqual(expected('old'))
  expect(await database.query('SELECT FROM symphony.messenger_messages')).toEqual([])
  expect(await unfinished(application)).toEqual([])
})

test('with the flags on the same routes dispatch, and the work is done once', async () => {
  await application.restart({ SYMPHONY_ENABLED: 'true' })
  await work('later')
  await minutes(1)
  await drain(application)
  // The second step is due now; a campaign is looked at once a minute, so the minute that has begun is not waited for.
  await database.query(`DELETE FROM symphony.messenger_deduplication WHERE idempotency_key LIKE 'campaign:%:process:%'`)
  await minutes(2)
  await drain(application)
  await database.query(`DELETE FROM symphony.messenger_deduplication WHERE idempotency_key LIKE 'campaign:%:process:%'`)
  await minutes(1)
  await drain(application)
  expect(arrived('later')).toEqual(expected('later'))
  expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  expect(await unfinished(application)).toEqual([])
  expect(await database.query(`SELECT FROM email_queue WHERE status <> 'sent'`)).toEqual([])
})

test('switched on with work half done, and off again, nothing is sent twice or forgotten', async () => {
  await application.restart(OFF)
  await work('back')
  await application.cron('process-campaigns')
  await application.restart({ SYMPHONY_ENABLED: 'true' })
  for (const cron of crons) await application.cron(cron)
  await application.restart(OFF)
  await minutes(4)
  await drain(application)
  await minutes(2)
  expect(arrived('back')).toEqual(expected('back'))
  expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  expect(await unfinished(application)).toEqual([])
})
