import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MessageValidationError, SerializationError } from '../base/errors.js'
import { deserializeMessage, serializeMessage } from './serialization.js'
import { validateMessage } from './validation.js'

function refusal(payload: unknown): MessageValidationError {
  try {
    serializeMessage({ type: 'A', payload: payload as object })
  } catch (error) {
    return error as MessageValidationError
  }
  throw new Error('was accepted')
}

function accepted(payload: object): unknown {
  return JSON.parse(serializeMessage({ type: 'A', payload })).payload
}

/** JSON has one zero. */
function withPositiveZeros(value: unknown): unknown {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(withPositiveZeros)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withPositiveZeros(member)]))
}

const cyclic: Record<string, unknown> = { name: 'x' }
cyclic.inner = { list: [1, cyclic] }

describe('what cannot be carried is refused with its path', () => {
  test.each([
    ['a BigInt', { user: { id: 1n } }, 'payload.user.id', 'BigInt'],
    ['a cycle', cyclic, 'payload.inner.list[1]', 'refers back'],
    ['NUL in a value', { items: ['ok', { text: 'a\u0000b' }] }, 'payload.items[1].text', '\\u0000'],
    ['NUL in a key', { 'a\u0000b': 1 }, 'payload["a\\u0000b"]', 'has a key that contains'],
    ['a lone high surrogate', { text: 'a\ud800' }, 'payload.text', 'lone surrogate'],
    ['a lone low surrogate', { text: '\udc00a' }, 'payload.text', 'lone surrogate'],
    ['a lone surrogate in a key', { '\ud800': 1 }, 'payload["\\ud800"]', 'has a key'],
    ['an invalid date', { at: [new Date(Number.NaN)] }, 'payload.at[0]', 'invalid Date'],
    ['a getter that throws', { get a() { throw new Error('no') } }, 'payload', 'cannot be read: no'], // biome-ignore format: one case per line.
    ['a toJSON that throws text', { a: { toJSON() { throw 'no' } } }, 'payload', 'cannot be read: no'], // biome-ignore format: one case per line.
  ])('%s', (_name, payload, path, problem) => {
    const error = refusal(payload)
    expect(error).toBeInstanceOf(MessageValidationError)
    expect(error.code).toBe('SYMPHONY_INVALID_PAYLOAD')
    expect(error.path).toBe(path)
    expect(error.message).toContain(problem)
  })

  class Money {
    #cents = 100
    get cents(): number {
      return this.#cents
    }
  }
  test.each<[string, unknown, string]>([
    ['a Map', new Map([[1, 2]]), 'is a Map, whose contents JSON does not show; send Object.fromEntries(…) of it'],
    ['a WeakMap', new WeakMap(), 'is a Map'],
    ['a Set', new Set([1]), 'send […set]'],
    ['a Map with a field', Object.assign(new Map(), { own: 1 }), 'is a Map'],
    ['a RegExp', /x/, 'is a RegExp, whose contents JSON does not show; send its source'],
    ['an Error', new TypeError('x'), 'is an Error, whose contents JSON does not show; send its message'],
    ['an Error with a code', Object.assign(new Error('x'), { code: 'X' }), 'is an Error'],
    ['a Promise', Promise.resolve(1), 'an await is missing'],
    ['a Uint8Array', new Uint8Array([1, 2]), 'is a binary buffer'],
    ['a Float64Array', new Float64Array(2), 'is a binary buffer'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'is a binary buffer'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'is a binary buffer'],
    ['a Headers', new Headers({ a: 'b' }), 'is a Headers'],
    ['a FormData', new FormData(), 'is a FormData'],
    ['a URLSearchParams', new URLSearchParams('a=b'), 'is a URLSearchParams'],
    ['a Blob', new Blob(['x']), 'is a Blob, whose contents JSON does not show'],
    ['a Response', new Response('x'), 'is a Response'],
    ['private fields', new Money(), 'is a Money, whose contents JSON does not show; send its data as a plain object'],
    ['an instance of a class without a name', new (class {})(), 'is a class instance'],
    ['NaN', Number.NaN, 'is NaN, of which JSON makes null; write null or a text'],
    ['Infinity', Number.POSITIVE_INFINITY, 'is Infinity, or a number beyond a double (1.8e308)'],
    ['-Infinity', Number.NEGATIVE_INFINITY, 'is -Infinity'],
    ['a wrapped NaN', Object(Number.NaN), 'is NaN'],
    ['a function', () => 1, 'is a function, which JSON leaves out'],
    ['a symbol', Symbol('s'), 'is a symbol'],
  ])('%s, which JSON would lose', (_name, value, problem) => {
    for (const [payload, path] of [
      [{ a: value }, 'payload.a'],
      [{ deep: [{ a: [null, value] }] }, 'payload.deep[0].a[1]'],
      [{ at: new Date(0), 'odd key': value }, 'payload["odd key"]'],
    ] as const) {
      const error = refusal(payload)
      expect(error).toMatchObject({ code: 'SYMPHONY_INVALID_PAYLOAD', path })
      expect(error.message).toContain(problem)
    }
    expect(() => serializeMessage({ type: 'A', payload: {}, metadata: { value } })).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_HEADERS', path: 'metadata.value' }),
    )
  })

  test('undefined and holes in an array; in an object it is an absent field', () => {
    const hole = Object.assign(new Array<number>(2), { 0: 1 })
    for (const list of [[1, undefined], hole]) {
      expect(refusal({ list })).toMatchObject({ path: 'payload.list[1]' })
      expect(refusal({ list }).message).toContain('is undefined, which becomes null in an array')
    }
    expect(accepted({ a: undefined, b: { c: undefined } })).toEqual({ b: {} })
  })

  test('nesting without end', () => {
    let deep: object = {}
    for (let level = 0; level < 100_000; level += 1) deep = { deep }
    expect(refusal(deep).message).toContain('nested too deeply')
  })
})

describe('a payload has to be an object', () => {
  class Money {
    toJSON(): string {
      return '1 EUR'
    }
  }
  test.each([
    [undefined, 'got undefined'],
    [null, 'got null'],
    ['text', 'got string'],
    [1, 'got number'],
    [() => 1, 'got function'],
    [Symbol('s'), 'got symbol'],
    [1n, 'got bigint'],
    [[1], 'got an array'],
    [new Date(), 'got a Date'],
    [new Map(), 'got a Map'],
    [new WeakMap(), 'got a Map'],
    [new Set(), 'got a Set'],
    [new WeakSet(), 'got a Set'],
    [/x/, 'got a RegExp'],
    [new Error('x'), 'got an Error'],
    [Promise.resolve(), 'got a Promise'],
    [Buffer.from('x'), 'got a binary buffer'],
    [new ArrayBuffer(1), 'got a binary buffer'],
    [Object('x'), 'got a wrapped primitive'],
    [new Money(), 'toJSON() returns something else'],
    [{ toJSON: () => [1] }, 'toJSON() returns something else'],
    [{ toJSON: () => undefined }, 'got object, wants JSON'],
  ])('%s', (payload, problem) => {
    const error = refusal(payload)
    expect(error).toMatchObject({ code: 'SYMPHONY_INVALID_PAYLOAD', path: 'payload' })
    expect(error.message).toContain(problem)
  })
})

describe('what travels', () => {
  test('is what JSON.stringify makes of it', () => {
    class Point {
      x = 1
      #hidden = 2
      get sum(): number {
        return this.x + this.#hidden
      }
    }
    const payload = { a: undefined, d: new Date(0), e: -0, f: new URL('https://example.com/a'), g: Buffer.from('x') }
    expect(accepted(payload)).toEqual(JSON.parse(JSON.stringify(payload)))
    expect(accepted(new Point())).toEqual({ x: 1 })
    expect(accepted({ toJSON: () => ({ own: true }) })).toEqual({ own: true })
    expect(accepted(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
    expect(accepted({ point: new Point(), in: [{ toJSON: () => ({ map: new Map() }) }] })).toEqual({
      point: { x: 1 },
      in: [{ map: {} }],
    })
    expect(accepted({ foreign: runInNewContext('({ empty: {}, list: [{}] })') })).toEqual({
      foreign: { empty: {}, list: [{}] },
    })
    expect(accepted({ nothing: null, boxed: Object('x') })).toEqual({ nothing: null, boxed: 'x' })
  })

  test('whatever is accepted comes back as it was', () => {
    const leaf = fc.oneof(
      fc.constantFrom(undefined, null, Number.NaN, Number.POSITIVE_INFINITY, new Map(), new Set([1]), /x/, Symbol('s')),
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.uint8Array(),
    )
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any
    let kept = 0
    fc.assert(
      fc.property(value, (a) => {
        let json: string
        try {
          json = serializeMessage({ type: 'A', payload: { a } })
        } catch (error) {
          expect(error).toBeInstanceOf(MessageValidationError)
          return
        }
        kept += 1
        expect(JSON.parse(json).payload).toEqual(withPositiveZeros({ a }))
      }),
      { numRuns: 1_000 },
    )
    expect(kept).toBeGreaterThan(100)
  })

  test('__proto__ stays data', () => {
    const payload = JSON.parse('{"__proto__":{"admin":true},"a":1}')
    expect(serializeMessage({ type: 'A', payload })).toContain('"__proto__":{"admin":true}')
  })

  test('what only looks dangerous goes through', () => {
    const payload = { a: '\\u0000', b: '\\ud800', emoji: '😀', control: '\u0001\u001f', quote: '"' }
    expect(accepted(payload)).toEqual(payload)
  })

  test('the same object twice is not a cycle', () => {
    const shared = { a: null }
    expect(accepted({ one: shared, two: [shared] })).toEqual({ one: { a: null }, two: [{ a: null }] })
  })

  test('metadata go along; a part that is not JSON is refused', () => {
    expect(serializeMessage({ type: 'A', payload: {}, metadata: { tenant: 1 } })).toBe(
      '{"type":"A","payload":{},"metadata":{"tenant":1}}',
    )
    const metadata = { n: 1n }
    expect(() => serializeMessage({ type: 'A', payload: {}, metadata })).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_HEADERS', path: 'metadata.n' }),
    )
    expect(() => serializeMessage({ type: (() => 1) as never, payload: {} })).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_TYPE' }),
    )
    expect(() => serializeMessage(null as never)).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_TYPE', path: 'message' }),
    )
  })
})

describe('deserializeMessage', () => {
  test('reads a message', () => {
    expect(deserializeMessage('{"type":"A","payload":{"a":1}}')).toEqual({ type: 'A', payload: { a: 1 } })
  })

  test.each(['{', '1', 'null', '[]', '{"type":"A"}', '{"type":1,"payload":{}}', '{"type":"A","payload":[]}'])(
    'refuses %s',
    (text) => {
      expect(() => deserializeMessage(text)).toThrow(SerializationError)
    },
  )
})

describe('validateMessage', () => {
  test('returns a message', () => {
    const message = { type: 'A', payload: { a: 1 }, metadata: {} }
    expect(validateMessage(message)).toBe(message)
  })

  test.each([
    [null, 'SYMPHONY_INVALID_TYPE'],
    [[], 'SYMPHONY_INVALID_TYPE'],
    [{ payload: {} }, 'SYMPHONY_INVALID_TYPE'],
    [{ type: ' ', payload: {} }, 'SYMPHONY_INVALID_TYPE'],
    [{ type: 'A' }, 'SYMPHONY_INVALID_PAYLOAD'],
    [{ type: 'A', payload: { a: 1n } }, 'SYMPHONY_INVALID_PAYLOAD'],
    [{ type: 'A', payload: {}, metadata: [] }, 'SYMPHONY_INVALID_HEADERS'],
    [{ type: 'A', payload: {}, metadata: null }, 'SYMPHONY_INVALID_HEADERS'],
  ])('refuses case %#', (message, code) => {
    expect(() => validateMessage(message)).toThrow(expect.objectContaining({ code }))
  })
})
