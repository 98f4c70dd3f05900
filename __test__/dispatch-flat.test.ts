import { type DispatchOptions, dispatch, dispatchBatch, type MessageInput, schedule } from '@leadmap/symphony'
import { buildEmailMessage, validateMessage } from '@leadmap/symphony/utils'
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue({ transports: { other: { type: 'postgres' } } })

beforeEach(() => emptyTables(database))

const options = fc.record<DispatchOptions>(
  {
    transport: fc.constantFrom<string | string[]>('other', ['other'], ['supabase', 'other']),
    queue: fc.constantFrom('mail', 'reports'),
    priority: fc.integer({ min: 1, max: 10 }),
    scheduledAt: fc.constantFrom<Date | string | number>(
      new Date('2040-01-01'),
      '2040-01-02T03:04:05Z',
      2_300_000_000_000,
    ),
    headers: fc.dictionary(fc.constantFrom('a', 'b'), fc.string({ unit: 'grapheme-ascii', maxLength: 5 })),
    metadata: fc.dictionary(fc.constantFrom('x', 'y'), fc.integer()),
    maxRetries: fc.integer({ min: 0, max: 9 }),
    idempotencyKey: fc.uuid(),
  },
  { requiredKeys: [] },
)

/** What is stored of a message, without what is new in each. */
async function stored(): Promise<unknown[]> {
  const rows = await storedMessages(database)
  const facts = rows.map(({ message_type, transport_name, queue_name, priority, body, headers, ...row }) => {
    const { 'message-id': _, 'dispatched-at': __, ...own } = headers
    const { metadata, scheduled_at, max_retries, idempotency_key } = row
    const kept = { message_type, transport_name, queue_name, priority, body, headers: own, metadata }
    return { ...kept, scheduled_at, max_retries, idempotency_key }
  })
  await emptyTables(database)
  return facts.sort((left, right) => left.transport_name.localeCompare(right.transport_name))
}

test('options beside the message, in it, or with it in a batch: the same is stored', async () => {
  const { metadata: _, ...message } = { type: 'A', payload: { n: 1 }, metadata: undefined }
  for (const given of fc.sample(options, 25)) {
    const flat: MessageInput = { ...message, ...given }
    await dispatch(message, given)
    const expected = await stored()
    const forms: Array<() => Promise<unknown>> = [
      () => dispatch(flat),
      () => dispatchBatch([flat]),
      () => dispatchBatch([{ message, options: given }]),
      () => dispatchBatch([{ message: flat }]),
    ]
    for (const form of forms) {
      await form()
      expect(await stored()).toEqual(expected)
    }
  }
})

test('a delay in a message of a batch holds it back', async () => {
  await dispatchBatch([{ type: 'A', payload: {}, delay: '1h', idempotencyKey: 'once' }])
  const [again] = await dispatchBatch([{ type: 'A', payload: {}, delay: '1h', idempotencyKey: 'once' }])
  expect(again).toMatchObject({ success: true, status: 'duplicate' })
  const [row] = await storedMessages(database)
  expect(row?.available_at.getTime()).toBeGreaterThan(Date.now() + 1_800_000)
})

test('what is nearer to the message counts: batch, message, options beside it', async () => {
  const message = { type: 'A', payload: {}, priority: 4, headers: { a: 'message', b: 'message' } }
  await dispatchBatch([message, { message, options: { priority: 5, headers: { b: 'item' } } }], {
    priority: 3,
    queue: 'common',
    headers: { a: 'batch', c: 'batch' },
  })
  await dispatch(message, { priority: 6 })
  await dispatchBatch([{ ...buildEmailMessage(EMAIL) }, buildEmailMessage(EMAIL)], { priority: 2 })
  expect(await storedMessages(database)).toMatchObject([
    { priority: 4, queue_name: 'common', headers: { a: 'message', b: 'message', c: 'batch' } },
    { priority: 5, queue_name: 'common', headers: { a: 'message', b: 'item', c: 'batch' } },
    { priority: 6, queue_name: 'default', headers: { a: 'message', b: 'message' } },
    { priority: 2, idempotency_key: null },
    { priority: 2, idempotency_key: 'email:e' },
  ])
})

const EMAIL = { emailId: 'e', userId: 'u', mailboxId: 'm', toEmail: 'user@example.com', subject: 's', html: 'h' }

test.each([
  [{ priorty: 9 }, 'message.priorty', 'did you mean "priority"?'],
  [{ options: { delay: '5m' } }, 'message.options', 'put the options flat beside type and payload'],
  [{ payloud: {} }, 'message.payloud', 'did you mean "payload"?'],
  [{ 'odd key': 1 }, 'message["odd key"]', 'unknown key; the keys are type, payload, metadata, transport, queue'],
  [{ [`${'x'.repeat(59)}\ud83d\ude00`]: 1 }, expect.stringContaining('xxx'), 'unknown key'],
])('the stray key of %j is refused', async (stray, path, problem) => {
  const message = { type: 'A', payload: {}, ...stray } as MessageInput
  const error = { code: 'SYMPHONY_UNKNOWN_OPTION', path, message: expect.stringContaining(problem) }
  await expect(dispatch(message)).rejects.toMatchObject(error)
  await expect(dispatchBatch([message], { atomic: true })).rejects.toMatchObject(error)
  expect(await dispatchBatch([message, { message }, { type: 'Good', payload: {} }])).toMatchObject([
    { success: false, error },
    { success: false, error },
    { success: true },
  ])
  await expect(schedule(message, { every: '1h' })).rejects.toMatchObject(error)
  expect(() => validateMessage(message)).toThrow(expect.objectContaining({ code: error.code }))
  expect((await storedMessages(database)).map((row) => row.message_type)).toEqual(['Good'])
})

test('stray options, beside a message and in an item, are refused with what was meant', async () => {
  const stray = { priorty: 9 } as object
  await expect(dispatch({ type: 'A', payload: {} }, stray)).rejects.toMatchObject({
    code: 'SYMPHONY_UNKNOWN_OPTION',
    path: 'options.priorty',
    message: expect.stringContaining('did you mean "priority"?'),
  })
  const items = [{ message: { type: 'A', payload: {} }, delay: '5m' }] as never
  expect(await dispatchBatch(items)).toMatchObject([
    { success: false, error: { path: 'item.delay', message: expect.stringContaining('options belong into options') } },
  ])
  await expect(dispatchBatch([], { atomc: true } as object)).rejects.toMatchObject({
    path: 'options.atomc',
    message: expect.stringContaining('did you mean "atomic"?'),
  })
  expect(await storedMessages(database)).toEqual([])
})
