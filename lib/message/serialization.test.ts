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
    [new Error('x'), 'got a Error'],
    [Promise.resolve(), 'got a Promise'],
    [Buffer.from('x'), 'got a binary buffer'],
    [new ArrayBuffer(1), 'got a binary buffer'],
    [Object('x'), 'got a wrapped primitive'],
    [new Money(), 'toJSON() returns something else'],
    [{ toJSON: () => [1] }, 'toJSON() returns something else'],
    [{ toJSON: () => undefined }, 'must be JSON'],
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
    const payload = { a: undefined, b: () => 1, c: [undefined], d: new Date(0), e: Number.NaN, f: new Map([[1, 2]]) }
    expect(accepted(payload)).toEqual(JSON.parse(JSON.stringify(payload)))
    expect(accepted(new Point())).toEqual({ x: 1 })
    expect(accepted({ toJSON: () => ({ own: true }) })).toEqual({ own: true })
    expect(accepted(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
    expect(accepted({ nothing: null, boxed: Object('x') })).toEqual({ nothing: null, boxed: 'x' })
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
