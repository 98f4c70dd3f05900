/** What a role may not see is in no answer of any endpoint, and nobody finds it out by searching. */
import { consumeBatch, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { createSymphonyRoute, type Grant } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test } from 'vitest'
import { PERMISSIONS } from '../../lib/http/authorization/permissions.js'
import { createQueue, emptyTables } from '../support/symphony.js'
import { request } from './support.js'

const database = await createQueue()

const SECRETS = ['hunter2-is-secret', '4111222233334444', 'tok_live_abcdef', 'Bearer-of-the-header', 'DE0012345678']
const [password, card, token, bearer, iban] = SECRETS as [string, string, string, string, string]
const SHOWN = ['ada@example.com', '12345678901234567890', 'acme']

const registry = new HandlerRegistry()
registry.register('Mail', () => {
  throw Object.assign(new TypeError(`login as ada with ${password} refused, apiKey=${token}, card ${card}`), {
    status: 400,
  })
})

const message = {
  type: 'Mail',
  payload: {
    to: 'ada@example.com',
    login: { password, card: { number: card } },
    // Far behind what a list shows.
    padding: 'x'.repeat(300),
    apiKey: token,
    iban,
  },
  metadata: { accessToken: token, tenant: 'acme' },
}
const options = { headers: { authorization: bearer, tenant: 'acme' } }

const VIEWER: Grant = { role: 'viewer', redact: ['card.number'] }
/** One that may do everything, and see as little. */
const CAREFUL: Grant = { role: 'admin', actor: 'ada', redact: ['card.number'] }

let ids: { waiting: string; letter: string }

beforeEach(async () => {
  await emptyTables(database, 'messenger_audit', 'messenger_controls', 'messenger_metrics', 'messenger_schedules')
  await dispatch(message, options)
  await consumeBatch({ registry })
  const { messageId } = await dispatch(message, { ...options, delay: '1h' })
  await database.query(
    `UPDATE symphony.messenger_messages_pending
     SET body = jsonb_set(body, '{n}', '12345678901234567890'), last_error = 'refused: ' || $1, error_history = jsonb_build_array(
       jsonb_build_object('at', 0, 'class', 'TypeError', 'message', 'with ' || $1, 'stack', 'at ' || $1))`,
    [password],
  )
  await schedule(message, { cron: '0 9 * * *' }, { name: 'report', headers: options.headers })
  const [letter] = (await listFailed()).messages
  ids = { waiting: messageId, letter: letter?.id ?? '' }
})

async function call(
  grant: Grant,
  method: string,
  path: string,
  json?: unknown,
): Promise<{ status: number; text: string }> {
  const route = createSymphonyRoute({ authorize: () => grant })
  const init = { method, ...(json === undefined ? {} : { json }) }
  const response = await route.handle(request(`/api/symphony/${path}`, init))
  return { status: response.status, text: await response.text() }
}

const { endpoints } = JSON.parse((await call(VIEWER, 'GET', '')).text) as { endpoints: string[] }

/** What is asked of those that want more than their path. */
const ASKED: Record<string, unknown> = {
  'POST dispatch': { message },
  'POST failed/retry': { all: true },
  'DELETE failed': { all: true },
  'POST admin/errors': { type: 'Mail', class: 'TypeError', state: 'ignored', note: 'x' },
  'POST admin/pauses': { queue: 'bulk', reason: `password=${password}` },
  'POST admin/pauses/resume': { queue: 'bulk' },
  'POST admin/operations': { action: 'snooze', delay: 0, filter: {} },
  'POST admin/operations/preview': { action: 'retry', filter: {} },
  'POST admin/messages/:id/edit': { payload: { password: 'hunter2-is-secret' } },
}

describe.each([
  ['a viewer', VIEWER],
  ['a careful admin', CAREFUL],
])('to %s', (_, grant) => {
  test.each(endpoints)('%s tells no secret', async (endpoint) => {
    const [method = '', path = ''] = endpoint.split(' ')
    const isOfMessages = path.startsWith('admin/messages')
    const filled = path.replace(':id', isOfMessages ? ids.waiting : ids.letter).replace(':name', 'report')
    const answers = [await call(grant, method, filled, ASKED[endpoint])]
    if (['failed', 'admin/messages'].includes(path) && method === 'GET')
      answers.push(await call(grant, method, `${path}?full=true`))
    for (const { status, text } of answers) {
      if (grant === CAREFUL && !path.startsWith('admin/operations/:') && !path.startsWith('admin/audit/:'))
        expect(status, text).toBeLessThan(300)
      for (const secret of SECRETS) expect(text).not.toContain(secret)
    }
  })
})

test('everything else is told, with every digit', async () => {
  for (const path of [
    `admin/messages/${ids.waiting}`,
    'admin/messages?full=true',
    `failed/${ids.letter}`,
    'schedules/report',
  ]) {
    const { status, text } = await call(VIEWER, 'GET', path)
    expect(status).toBe(200)
    for (const shown of SHOWN) if (shown !== SHOWN[1] || path.startsWith('admin')) expect(text, path).toContain(shown)
    expect(text).toContain('•••')
  }
  const { messages } = JSON.parse((await call(VIEWER, 'GET', 'failed')).text)
  expect(messages[0]).toMatchObject({
    errorClass: 'TypeError',
    error: 'login as ada with ••• refused, apiKey=•••, card •••',
  })
  expect(messages[0].payloadPreview).toHaveLength(200)
  expect(messages[0]).not.toHaveProperty('payload')
})

test('who has all rights sees all, unless the route says otherwise', async () => {
  const path = `admin/messages/${ids.waiting}`
  for (const grant of [{ role: 'operator' }, { role: 'admin' }, { role: 'viewer', redact: false }] as Grant[])
    expect((await call(grant, 'GET', path)).text).toContain(password)
  for (const grant of [{ role: 'viewer' }, { role: 'operator', redact: true }] as Grant[]) {
    const { text } = await call(grant, 'GET', path)
    expect(text).not.toContain(password)
    expect(text).toContain(card)
  }
})

test.each([
  ['GET', 'admin/messages?query=payload.login.password:h*'],
  ['GET', 'admin/messages?query=-payload.login.card.number:1'],
  ['GET', 'admin/messages?query=header.authorization:B*'],
  ['GET', 'admin/messages?query=metadata.accessToken:*'],
  ['GET', 'admin/messages?query=type:Mail hunter'],
  ['GET', 'admin/messages?text=hunter'],
  ['GET', 'failed?query=payload.apiKey:x'],
  ['GET', 'failed?text=hunter'],
  ['POST', 'failed/retry', { query: 'payload.login.password:x' }],
  ['DELETE', 'failed', { text: 'hunter' }],
  ['POST', 'admin/operations/preview', { action: 'cancel', filter: { query: 'payload.iban:D*' } }],
  ['POST', 'admin/operations', { action: 'remove', filter: { text: 'hunter' } }],
] as const)('%s %s %j is refused: it would find out what is hidden', async (method, path, json?) => {
  const { status, text } = await call(CAREFUL, method, path, json)
  expect(JSON.parse(text)).toMatchObject({ error: { code: 'SYMPHONY_FORBIDDEN' } })
  expect(status).toBe(403)
})

test('everything else can be searched, and a query that is wrong is refused as such', async () => {
  expect(JSON.parse((await call(VIEWER, 'GET', 'admin/messages?query=payload.to:ada*')).text).messages).toHaveLength(1)
  expect((await call(VIEWER, 'GET', 'admin/messages?query=typ:A')).status).toBe(400)
  expect((await call(VIEWER, 'GET', 'failed?query=type:Mail')).status).toBe(200)
})

test('the table of rights names every endpoint that is asked for more', () => {
  expect(Object.keys(ASKED).filter((it) => !(it in PERMISSIONS))).toEqual([])
})

test('a path that cannot be one closes the route', async () => {
  expect((await call({ role: 'viewer', redact: ['a..b'] }, 'GET', 'status')).status).toBe(500)
})
