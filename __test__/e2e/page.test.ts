/** The page of the example, driven as a browser without JavaScript would, and asked what its scripts ask for. */
import { describe, expect, test } from 'vitest'
import { drain, startApplication } from './support/application.js'
import { email } from './support/messages.js'

const application = await startApplication({ latency: 5 })

const read = async (path: string) => (await application.call('GET', path)).body
const live = (show: string) => read(`/api/live?show=${show}`)

/** Submits the form whose button says this, with what its fields hold. */
async function press(button: string): Promise<void> {
  const forms: string[] = (await read('/')).match(/<form.*?<\/form>/gs) ?? []
  const body = new FormData()
  for (const [input] of forms.find((form) => form.includes(button))?.matchAll(/<input[^>]*>/g) ?? []) {
    body.set(attribute(input, 'name'), attribute(input, 'value'))
  }
  const headers = { origin: application.url }
  expect((await fetch(application.url, { method: 'POST', headers, body })).status).toBe(200)
}

function attribute(tag: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
}

describe('the page', () => {
  test('says what it is', async () => {
    expect(await read('/')).toContain('A message queue for Next.js on Postgres')
  })

  test('asks for nothing that is not there, nor does a browser beside it', async () => {
    const html: string = await read('/')
    const paths = [...html.matchAll(/ (?:href|src)="(\/[^"]*)"/g)].map(([, path = '']) => path.replaceAll('&amp;', '&'))
    expect(paths.some((path) => path.includes('icon.svg'))).toBe(true)
    for (const path of [...paths, '/favicon.ico']) {
      expect([path, (await application.call('GET', path)).status]).toEqual([path, 200])
    }
  })

  test('has a label for each field', async () => {
    const html: string = await read('/')
    const fields = html.match(/<input[^>]*>/g)?.filter((field) => attribute(field, 'type') !== 'hidden') ?? []
    const labelled = html.match(/<label.*?<\/label>/gs)?.join('') ?? ''
    expect(fields.length).toBeGreaterThan(6)
    expect(fields.filter((field) => !labelled.includes(field))).toEqual([])
  })

  test('shows markup in data as text', async () => {
    await application.symphony('POST', 'dispatch', {
      ...email('<script>alert(1)</script>'),
      options: { delay: '1h' },
    })
    const html = await read('/')
    expect(html).toContain('&lt;script&gt;alert(1)')
    expect(html).not.toContain('<script>alert(1)')
    const [{ id }] = (await live('newest')).rows
    await application.symphony('POST', `admin/messages/${id}/cancel`)
  })
})

test('a thousand e-mails: due, then running, then done or failed', async () => {
  await press('Send 1,000 e-mails')
  expect((await live('newest')).counts).toMatchObject({ due: 1_000, retrying: 0, running: 0, done: 0, failed: 0 })

  const draining = drain(application)
  await expect.poll(async () => (await live('newest')).counts.running).toBeGreaterThan(0)
  await draining
  expect((await live('newest')).counts).toMatchObject({ due: 0, retrying: 0, running: 0, done: 980, failed: 20 })
  expect((await live('busy')).rows).toMatchObject(Array(10).fill({ state: 'done', failedRuns: 2 }))

  const [dead] = (await live('failed')).rows
  expect(dead).toMatchObject({ state: 'failed', failedRuns: 1, lastError: expect.stringContaining('550') })
  expect(await read(`/api/live/${dead.id}`)).toMatchObject({
    to: 'nobody-1000@example.com',
    runs: [{ at: expect.any(String), error: expect.stringContaining('550') }],
    payload: { toEmail: 'nobody-1000@example.com' },
    letter: expect.any(String),
  })
})

test('a message that was refused: which run failed, and when the next one is', async () => {
  await application.restart({ SYMPHONY_RETRY_DELAY: '1h', SYMPHONY_RETRY_MAX_DELAY: '1h' })
  await press('Send one to busy@')
  await application.cron('symphony-worker')
  const [row] = (await live('busy')).rows
  expect(row).toMatchObject({ to: 'busy@example.com', state: 'retrying', failedRuns: 1 })
  expect(row.runsIn).toBeGreaterThan(3_000)
  expect(await read(`/api/live/${row.id}`)).toMatchObject({
    state: 'retrying',
    runs: [{ error: expect.stringContaining('450') }],
    letter: null,
  })
})

test('what does not exist', async () => {
  expect(await read('/api/live/01a22d94-a5e7-7034-9e5c-b6f8df761ae1')).toBe('null')
  expect((await application.call('GET', '/api/live?show=all')).status).toBe(400)
})
