import {
  type DispatchOptions,
  dispatch,
  dispatchBatch,
  type MessageInput,
  MessageValidationError,
  SymphonyError,
} from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { countAll, createQueue } from '../support/symphony.js'

const database = await createQueue()
const cyclic: Record<string, unknown> = { name: 'a' }
cyclic.self = { back: cyclic }

/** What is wrong, the code, and words of the message: the thing and what is allowed. */
const CASES: Array<[what: string, message: unknown, options: unknown, code: string, words: RegExp]> = [
  ['an empty type', { type: '', payload: {} }, {}, 'SYMPHONY_INVALID_TYPE', /^type: is empty, wants .*190 characters/],
  ['a blank type', { type: ' \t', payload: {} }, {}, 'SYMPHONY_INVALID_TYPE', /^type: is empty/],
  ['no type', { payload: {} }, {}, 'SYMPHONY_INVALID_TYPE', /^type: .*wants/],
  ['a number as type', { type: 7, payload: {} }, {}, 'SYMPHONY_INVALID_TYPE', /^type: got 7, wants a string/],
  ['too long a type', { type: 'x'.repeat(191), payload: {} }, {}, 'SYMPHONY_INVALID_TYPE', /191 characters.*190/],
  ['no message', undefined, {}, 'SYMPHONY_INVALID_TYPE', /^message: got undefined, wants an object/],
  [
    'text as payload',
    { type: 'A', payload: 'x' },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload: got string, wants an object/,
  ],
  [
    'null as payload',
    { type: 'A', payload: null },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload: got null, wants an object/,
  ],
  ['an array as payload', { type: 'A', payload: [1] }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload: .*array.*field/],
  ['a Map as payload', { type: 'A', payload: new Map([[1, 2]]) }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload: .*Map/],
  ['no payload', { type: 'A' }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload: got undefined, wants an object/],
  ['a function as payload', { type: 'A', payload: () => 1 }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload: .*function/],
  ['a cycle', { type: 'A', payload: cyclic }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload\.self\.back: refers back/],
  [
    'a BigInt',
    { type: 'A', payload: { list: [1, 2n] } },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload\.list\[1\]: is a BigInt.*use a string/,
  ],
  [
    '\\u0000 in a value',
    { type: 'A', payload: { a: { b: 'x\u0000' } } },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload\.a\.b: .*\\u0000/,
  ],
  ['\\u0000 in a key', { type: 'A', payload: { 'x\u0000': 1 } }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload\[.*\\u0000/],
  [
    'a lone surrogate',
    { type: 'A', payload: { a: ['\ud800'] } },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload\.a\[0\]: .*lone surrogate/,
  ],
  [
    'an invalid Date',
    { type: 'A', payload: { at: new Date('x') } },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload\.at: is an invalid Date/,
  ],
  [
    '2 MiB',
    { type: 'A', payload: { a: 'x'.repeat(2 ** 21) } },
    {},
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^payload: is 2\d+ bytes, wants at most 1048576.*payload\.maxBytes/,
  ],
  [
    '70 KB of headers',
    good(),
    { headers: { a: 'x'.repeat(70_000) } },
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^options\.headers: is 70\d+ bytes, wants at most 65536.*payload\.maxHeadersBytes/,
  ],
  [
    '70 KB of metadata',
    { ...good(), metadata: { a: 'x'.repeat(70_000) } },
    {},
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^metadata: is 70\d+ bytes, wants at most 65536.*payload\.maxMetadataBytes/,
  ],
  [
    '70 KB of metadata in the options',
    good(),
    { metadata: { a: 'x'.repeat(70_000) } },
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^options\.metadata: is 70\d+ bytes/,
  ],
  [
    '80 KB of metadata from both sides',
    { ...good(), metadata: { a: 'x'.repeat(40_000) } },
    { metadata: { b: 'x'.repeat(40_000) } },
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^options\.metadata: is, with the message's own, 80\d+ bytes/,
  ],
  [
    'numbers that become 46 MB',
    { type: 'A', payload: { a: Array(145_000).fill(1e308) } },
    {},
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    /^payload: is, with its numbers written out as the database does, 4\d{7} bytes, wants at most 1048576/,
  ],
  [
    '600 levels',
    { type: 'A', payload: nested(600) },
    {},
    'SYMPHONY_INVALID_PAYLOAD',
    /^payload: is nested deeper than 500 levels/,
  ],
  ['100,000 levels', { type: 'A', payload: nested(100_000) }, {}, 'SYMPHONY_INVALID_PAYLOAD', /^payload: .*nested/],
  [
    'metadata that is not an object',
    { type: 'A', payload: {}, metadata: [1] },
    {},
    'SYMPHONY_INVALID_HEADERS',
    /^metadata: .*an object/,
  ],
  [
    'priority 0',
    good(),
    { priority: 0 },
    'SYMPHONY_INVALID_PRIORITY',
    /^options\.priority: got 0, wants a whole number from 1 to 10/,
  ],
  ['priority 11', good(), { priority: 11 }, 'SYMPHONY_INVALID_PRIORITY', /^options\.priority: got 11, wants .*1 to 10/],
  [
    'priority 5.5',
    good(),
    { priority: 5.5 },
    'SYMPHONY_INVALID_PRIORITY',
    /^options\.priority: got 5\.5, wants .*1 to 10/,
  ],
  [
    "priority 'high'",
    good(),
    { priority: 'high' },
    'SYMPHONY_INVALID_PRIORITY',
    /^options\.priority: got "high", wants .*1 to 10/,
  ],
  ['priority NaN', good(), { priority: Number.NaN }, 'SYMPHONY_INVALID_PRIORITY', /^options\.priority: .*NaN/],
  [
    'an invalid scheduledAt',
    good(),
    { scheduledAt: new Date('x') },
    'SYMPHONY_INVALID_SCHEDULED_AT',
    /^options\.scheduledAt: is an invalid Date/,
  ],
  [
    'a scheduledAt without zone',
    good(),
    { scheduledAt: '2030-01-01 10:00' },
    'SYMPHONY_INVALID_SCHEDULED_AT',
    /^options\.scheduledAt: .*zone/,
  ],
  [
    'a scheduledAt beyond all dates',
    good(),
    { scheduledAt: 9e15 },
    'SYMPHONY_INVALID_SCHEDULED_AT',
    /^options\.scheduledAt: /,
  ],
  ['a negative delay', good(), { delay: -1 }, 'SYMPHONY_INVALID_DELAY', /^options\.delay: got -1, wants milliseconds/],
  ['a delay in words', good(), { delay: 'soon' }, 'SYMPHONY_INVALID_DELAY', /^options\.delay: .*"soon"/],
  [
    'an empty key',
    good(),
    { idempotencyKey: '' },
    'SYMPHONY_INVALID_IDEMPOTENCY_KEY',
    /^options\.idempotencyKey: is empty/,
  ],
  ['too long a key', good(), { idempotencyKey: 'k'.repeat(256) }, 'SYMPHONY_INVALID_IDEMPOTENCY_KEY', /256 characters/],
  ['\\u0000 in a key', good(), { idempotencyKey: 'k\u0000' }, 'SYMPHONY_INVALID_IDEMPOTENCY_KEY', /\\u0000/],
  ['an empty queue', good(), { queue: '' }, 'SYMPHONY_INVALID_QUEUE', /^options\.queue: is empty/],
  [
    'headers that are no object',
    good(),
    { headers: 'x' },
    'SYMPHONY_INVALID_HEADERS',
    /^options\.headers: .*an object/,
  ],
  ['maxRetries -1', good(), { maxRetries: -1 }, 'SYMPHONY_INVALID_MAX_RETRIES', /^options\.maxRetries: got -1, wants/],
  ['an unknown option', good(), { retries: 3 }, 'SYMPHONY_UNKNOWN_OPTION', /^options\.retries: .*maxRetries/],
]

test.each(CASES)('%s is refused before anything is written', async (_what, message, options, code, words) => {
  const refusal = await dispatch(message as MessageInput, options as DispatchOptions).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(MessageValidationError)
  expect(refusal).toBeInstanceOf(SymphonyError)
  expect(refusal).toMatchObject({ name: 'MessageValidationError', code, message: expect.stringMatching(words) })
  expect((refusal as Error).message).toContain(`${(refusal as MessageValidationError).path}: `)
  expect(await countAll(database)).toBe(0)
})

test('each of them is refused by dispatchBatch() too, alone', async () => {
  const items = CASES.map(([, message, options]) => ({
    message: message as MessageInput,
    options: options as DispatchOptions,
  }))
  const results = await dispatchBatch(items)
  expect(results.map((result) => !result.success && (result.error as SymphonyError).code)).toEqual(
    CASES.map(([, , , code]) => code),
  )
  expect(await countAll(database)).toBe(0)
})

test('an unknown transport is refused with the names that exist', async () => {
  const refusal = dispatch({ type: 'A', payload: {} }, { transport: 'nowhere' })
  await expect(refusal).rejects.toMatchObject({
    name: 'ConfigurationError',
    code: 'SYMPHONY_UNKNOWN_TRANSPORT',
    message: expect.stringMatching(
      /"nowhere" does not exist; the transports are: .*supabase.*Add it under `transports`/,
    ),
  })
  expect(await countAll(database)).toBe(0)
})

function good(): MessageInput {
  return { type: 'A', payload: { fine: true } }
}

function nested(levels: number): object {
  let value: object = {}
  for (let level = 1; level < levels; level += 1) value = { a: value }
  return value
}
