/** Whatever is sent to the endpoints: no answer is a 500, and what is refused is refused with a code and a reason. */
import { consumeBatch, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import { createSymphonyRoute } from '@leadmap/symphony/next'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { read, request } from './support.js'

await createQueue({ transports: { email: { type: 'postgres' }, here: { type: 'memory' }, off: { type: 'redis' } } })
// What is put back or made here is not handled here.
const registry = new HandlerRegistry()
registry.register('Doomed', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
const { messageId } = await dispatch({ type: 'Doomed', payload: { text: 'é' } })
await consumeBatch({ registry })
const waiting = await dispatch({ type: 'Waiting', payload: {} }, { delay: '1h' })
await schedule({ type: 'Planned', payload: {} }, { cron: '0 9 * * *' }, { name: 'daily' })

const idle = new HandlerRegistry()
idle.register('Never', () => undefined)
const route = createSymphonyRoute({ authorize: () => true, consume: { registry: idle }, maxDuration: 10 })

const ENDPOINTS: Array<[string, string]> = [
  ['POST', 'dispatch'],
  ['POST', 'consume'],
  ['GET', 'status'],
  ['GET', 'queue-depth'],
  ['GET', 'metrics'],
  ['GET', 'failed'],
  ['DELETE', 'failed'],
  ['POST', 'failed/retry'],
  ['GET', 'failed/:'],
  ['DELETE', 'failed/:'],
  ['POST', 'failed/:/retry'],
  ['GET', 'admin/messages'],
  ['GET', 'admin/messages/:'],
  ['POST', 'admin/messages/:/cancel'],
  ['POST', 'admin/messages/:/edit'],
  ['GET', 'admin/stats'],
  ['GET', 'admin/messages/:/why'],
  ['GET', 'admin/pauses'],
  ['POST', 'admin/pauses'],
  ['POST', 'admin/pauses/resume'],
  ['POST', 'admin/operations'],
  ['POST', 'admin/operations/preview'],
  ['POST', 'admin/operations/:/step'],
  ['POST', 'admin/operations/:/abort'],
  ['POST', 'admin/workers/stop'],
  ['GET', 'admin/audit'],
  ['GET', 'admin/audit/:'],
  ['GET', 'schedules'],
  ['GET', 'schedules/:'],
  ['DELETE', 'schedules/:'],
  ['POST', 'schedules/:/pause'],
  ['POST', 'schedules/:/resume'],
  ['POST', 'schedules/:/run'],
]

const FIELDS = (
  'type transport queue errorClass text query failedAfter failedBefore createdAfter createdBefore ids all limit offset cursor ' +
  'status priority minutes startTime endTime format after batchSize maxConcurrency timeLimit messageLimit message options ' +
  'scheduledAt delay idempotencyKey headers metadata maxRetries payload action filter before matched actor reason until for id ' +
  '__proto__ constructor toString'
).split(' ')

const numbers = fc.oneof(
  fc.integer({ min: -2, max: 12 }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, 1e3, 2 ** 31, 2 ** 32, 2 ** 53, 8.64e15, -8.64e15, 253_402_300_800_000, -62_135_596_800_001, 1e18),
)
const dates = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .tuple(fc.nat(9999), fc.nat(13), fc.nat(32))
    .map((parts) => parts.map((part, place) => String(part).padStart(place === 0 ? 4 : 2, '0')).join('-')),
)
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 30 }),
  fc.constantFrom(
    '',
    ' ',
    'a\n',
    '\0',
    'Doomed',
    'default',
    'supabase',
    'email',
    'here',
    'off',
    'nope',
    'true',
    'null',
  ),
  fc.constantFrom(
    'pending',
    'failed',
    'prometheus',
    '5m',
    '1s',
    '1e9',
    '-1',
    '%',
    '\ud800',
    'x'.repeat(300),
    'Infinity',
  ),
  fc.constantFrom(messageId, waiting.messageId, 'daily', '0.01a1fc25-df1b-7683-8144-905c866371f6', '1.x'),
  dates,
  numbers.map(String),
  fc.uuid(),
)
const fields = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...FIELDS) }, { weight: 1, arbitrary: texts })
const values = fc.oneof(
  { weight: 4, arbitrary: texts },
  { weight: 2, arbitrary: numbers },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.array(texts, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, [], {}) },
)
const records = fc.array(fc.tuple(fields, values), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))

/** Bodies that come near to what `POST dispatch` takes, others, and what is not JSON. */
const messages = fc.record({
  message: fc.oneof(
    records,
    fc.record({ type: texts, payload: records }),
    fc.record({ type: fc.constant('Any'), payload: records, metadata: records }),
  ),
  options: fc.oneof(records, fc.constantFrom(undefined, { priority: 5 }, { delay: '5m' }, { headers: { a: 'b' } })),
})
const bodies = fc.oneof(
  { weight: 4, arbitrary: messages.map((it) => JSON.stringify(it)) },
  { weight: 4, arbitrary: records.map((it) => JSON.stringify(it)) },
  { weight: 1, arbitrary: values.map((it) => JSON.stringify(it)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('1e', '-1e', '1e-', '0.', '1'), fc.nat(99_999), fc.nat(30))
      .map(
        ([start, number, repeat]) =>
          `{"message":{"type":"Any","payload":{"n":${start}${String(number).repeat(repeat + 1)}}}}`,
      ),
  },
)

const parameters = fc.oneof(
  { weight: 6, arbitrary: texts.filter((text) => text.isWellFormed()).map(encodeURIComponent) },
  { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%00', '%61', '..', '%2e%2e', '%2f', '~', 'é') },
)
const queries = fc
  .array(fc.tuple(fields, texts), { maxLength: 3 })
  .map((entries) => String(new URLSearchParams(entries)))

const requests = fc.tuple(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...ENDPOINTS) },
    { weight: 6, arbitrary: fc.constant(['POST', 'dispatch'] as [string, string]) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'), parameters) },
  ),
  parameters,
  queries,
  bodies,
  fc.boolean(),
)

test('no request is answered 500, and each refusal has a code and a reason', { timeout: 300_000 }, async () => {
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(requests, async ([[method, path], parameter, query, body, bare]) => {
      const url = `/api/symphony/${path.replace(':', parameter)}?${query}`
      const sent = method === 'GET' || bare ? {} : { body, headers: { 'content-type': 'application/json' } }
      const response = await route.handle(request(url, { method, ...sent }))
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1)
      const shown = `${method} ${url} ${sent.body ?? ''}`
      if (response.headers.get('content-type')?.startsWith('text/plain')) return expect(response.status).toBe(200)
      const answer = await read(response)
      expect([200, 201, 400, 404, 405, 409, 413], `${shown} ${JSON.stringify(answer.body)}`).toContain(answer.status)
      expect(answer.body.success, shown).toBe(answer.status < 300)
      if (answer.status < 300) return
      expect(answer.body.error.code, shown).toMatch(/^SYMPHONY_[A-Z_]+$/)
      expect(answer.body.error.message.length, shown).toBeGreaterThan(10)
      expect(answer.body.error.message.length, shown).toBeLessThan(1_000)
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 1_500) },
  )
  // It has been somewhere.
  for (const status of [200, 201, 400, 404]) expect(seen.get(status), `of ${[...seen]}`).toBeGreaterThan(10)
})

test('a field that does not exist is named, wherever it stands', async () => {
  const name = fc.stringMatching(/^[a-z]{3,12}$/).map((word) => `${word}Unknown`)
  const known = ENDPOINTS.filter(([, path]) => !path.includes(':'))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...known), name, texts, async ([method, path], field, value) => {
      const inBody = method !== 'GET'
      const query = inBody ? '' : `?${new URLSearchParams({ [field]: value })}`
      const json = inBody ? { [field]: value } : undefined
      const answer = await read(route.handle(request(`/api/symphony/${path}${query}`, { method, json })))
      expect([answer.status, answer.body.error?.field], `${method} ${path}`).toEqual([400, field])
    }),
    { numRuns: 150 },
  )
})
