import { isDeepStrictEqual } from 'node:util'
import {
  type BatchItem,
  consumeBatch,
  type DispatchOptions,
  dispatchBatch,
  HandlerError,
  HandlerRegistry,
  type MessageHeaders,
  MessageValidationError,
} from '@leadmap/symphony'
import { getDuplicateAttempts, listFailed, removeFailed } from '@leadmap/symphony/admin'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { countAll, createQueue, emptyTables } from './support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database))

const NASTY = [
  '',
  ' ',
  "'",
  '"',
  '\\',
  '\\\\"\'',
  "'; DROP TABLE symphony.messenger_messages; --",
  "E'\\x27' || $1 || $$ :name ? ?? %s %I",
  '\u0000',
  '\\u0000',
  '\\\\u0000',
  '\ud800',
  '\udc00x',
  '\ud83d\ude00',
  '👩‍👩‍👧‍👦 𝕳 𠜎',
  'ﷺ\u202e\u200b\ufeff',
  '\n\r\t\b\f\v\u007f\u2028\u2029',
  '__proto__',
  'constructor',
  'toJSON',
  'null',
  '{"a":1}',
  '[1,2]',
  '1e400',
  '*',
  'Email*',
]
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 30 }),
  // Any sequence of UTF-16 units, halves of pairs included.
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 8 }),
  fc.tuple(fc.constantFrom(...NASTY), fc.constantFrom(...NASTY)).map(([left, right]) => left + right),
)
const number = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    -Number.MAX_VALUE,
    2 ** 53,
    -(2 ** 53) - 2,
    1e21,
    1e-7,
    0.1 + 0.2,
  ),
)
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map(asObject),
}))
const object = <T>(value: fc.Arbitrary<T>) => fc.array(fc.tuple(text, value), { maxLength: 5 }).map(asObject)
const nested = fc
  .tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())
  .map(([levels, lists]) =>
    Array.from({ length: levels - 1 }).reduce<object>((inner) => (lists ? { a: [inner] } : { a: inner }), {}),
  )
  .filter((payload) => depth(payload) <= 400)
const payload = fc.oneof({ weight: 9, arbitrary: object(json) }, { weight: 1, arbitrary: nested })
const mostly = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 })
const item = fc.record({
  message: fc.record({ type: text, payload, metadata: mostly(object(json)) }),
  options: fc.record({ queue: mostly(text), headers: mostly(object(text)), idempotencyKey: mostly(text) }),
})

describe('whatever is in a message', () => {
  test('comes out identical, or is refused before anything is written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 25 }), async (items) => {
        await emptyTables(database)
        const results = await dispatchBatch(items as BatchItem[])
        const stored = results.filter((result) => result.success && result.status === 'queued')
        expect(await countAll(database)).toBe(stored.length)

        const handled = await handleAll()
        expect(handled.size).toBe(stored.length)
        for (const [index, result] of results.entries()) {
          const given = items[index] as BatchItem
          if (!result.success) expect(result.error).toBeInstanceOf(MessageValidationError)
          else if (result.status === 'queued') expectIdentical(handled.get(result.messageId), given)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('a good share of the above is stored, and a good share refused', async () => {
    const items = fc.sample(item, { numRuns: 300, seed: 42 }) as BatchItem[]
    const results = await dispatchBatch(items)
    const refused = results.filter(({ success }) => !success).length
    expect(refused).toBeGreaterThan(30)
    expect(results.length - refused).toBeGreaterThan(30)
  })
})

test('a row that no dispatch would have made holds up no other', async () => {
  const odd = [
    ['null', '{}', '{}'],
    ['"text"', '{}', '{}'],
    ['[1]', '{}', '{}'],
    ['{"n": 1e400}', '{}', '{}'],
    ['{}', 'null', '[]'],
    ['{}', '[1, 2]', '"text"'],
    ['{}', '{"traceparent": 5, "x": {"y": null}}', 'null'],
  ]
  const insert = `INSERT INTO symphony.messenger_messages_pending
      (id, message_type, transport_name, queue_name, body, headers, metadata)
    VALUES (gen_random_uuid(), $1, 'supabase', 'default', $2, $3, $4)`
  for (const [body, headers, metadata] of odd) await database.query(insert, ['Any', body, headers, metadata])
  await database.query(insert, ['', '{}', '{}', '{}'])
  await dispatchBatch([{ type: 'Any', payload: { good: true } }])
  const seen: unknown[] = []
  const registry = new HandlerRegistry()
  registry.register('*', (message, context) => {
    seen.push([message.payload, { ...context.headers }, context.metadata])
  })
  const { claimed, succeeded, deadLettered } = await consumeBatch({ registry, batchSize: 100 })
  expect(claimed).toBe(odd.length + 2)
  expect(succeeded + deadLettered).toBe(claimed)
  expect(seen).toContainEqual([{ good: true }, expect.anything(), expect.anything()])
})

test('whatever an idempotency key is, it holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(text, { minLength: 1, maxLength: 20 }), async (keys) => {
      await emptyTables(database)
      const items = keys.map((idempotencyKey) => ({
        message: { type: 'Any', payload: {} },
        options: { idempotencyKey },
      }))
      const first = await dispatchBatch(items)
      const second = await dispatchBatch(items)
      for (const [index, one] of first.entries()) {
        const two = second[index]
        expect(two?.success).toBe(one.success)
        if (!one.success || !two?.success) continue
        expect([one.status, two.status, two.messageId]).toEqual(['queued', 'duplicate', one.messageId])
        expect(await getDuplicateAttempts(keys[index] ?? '')).toBe(1)
      }
    }),
    { numRuns: 10 },
  )
})

test('whatever a handler throws, its text is kept as far as Postgres can hold it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
      await emptyTables(database)
      await dispatchBatch(texts.map((_, n) => ({ type: 'Any', payload: { n } })))
      const registry = new HandlerRegistry()
      registry.register('Any', ({ payload }) => {
        const said = texts[payload.n] ?? ''
        throw new HandlerError(said, false, undefined, { cause: new Error(said) })
      })
      expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: texts.length })
      const { messages } = await listFailed({ limit: 1000, full: true })
      for (const { payload, error, errorHistory, errorStack } of messages) {
        const kept = (texts[payload.n as number] ?? '').toWellFormed().replaceAll('\u0000', '\ufffd')
        expect([error, errorHistory[0]?.message]).toEqual([kept, kept])
        expect(errorStack?.endsWith(`    caused by Error: ${kept.replaceAll('\n', ' ')}`)).toBe(true)
      }
      for (const search of texts.filter((each) => each.isWellFormed() && !each.includes('\u0000'))) {
        await listFailed({ text: search, type: search, queue: search, errorClass: search })
      }
      expect(await removeFailed({})).toBe(texts.length)
    }),
    { numRuns: 8 },
  )
})

interface Handled {
  type: string
  payload: unknown
  metadata: unknown
  headers: MessageHeaders
  queue: string
}

/** Handles everything there is, by id. */
async function handleAll(): Promise<Map<string, Handled>> {
  const handled = new Map<string, Handled>()
  const registry = new HandlerRegistry()
  registry.register('*', ({ type, payload, metadata }, { id, headers, queueName }) => {
    handled.set(id, { type, payload, metadata, headers, queue: queueName })
  })
  expect(await consumeBatch({ registry, batchSize: 100 })).toMatchObject({ drained: true, retried: 0, deadLettered: 0 })
  return handled
}

function expectIdentical(handled: Handled | undefined, { message, options }: BatchItem): void {
  if (handled === undefined) throw new Error('a message was stored and not handled')
  const { headers = {}, queue = 'default' } = options as DispatchOptions
  const expected = asJson({
    type: message.type,
    payload: message.payload,
    metadata: message.metadata ?? {},
    headers: { ...headers, ...pick(handled.headers, ['message-id', 'message-type', 'dispatched-at']) },
    queue,
  })
  if (!isDeepStrictEqual(handled, expected)) expect(JSON.stringify(handled)).toEqual(JSON.stringify(expected))
  expect(handled.headers['message-type']).toBe(message.type)
}

/** As JSON carries it; own `__proto__` keys stay own keys. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

/** Without setters: a key `__proto__` becomes an own key. */
function asObject<T>(entries: Array<[string, T]>): Record<string, T> {
  return Object.fromEntries(entries)
}

function pick(headers: MessageHeaders, names: string[]): MessageHeaders {
  return Object.fromEntries(names.map((name) => [name, headers[name] ?? '']))
}

function depth(value: unknown): number {
  let levels = 0
  for (let at = value; typeof at === 'object' && at !== null; at = Object.values(at)[0]) levels += 1
  return levels
}
