import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HIDDEN, hideInJson } from './json.js'
import { secretPlaces, USUAL_SECRETS } from './secrets.js'
import { hideInText } from './text.js'

const usual = secretPlaces(USUAL_SECRETS)

describe('places', () => {
  test.each([
    ['password', true],
    ['userPassword', true],
    ['PASSWORD_HASH', true],
    ['accessToken', true],
    ['x-csrf-token', true],
    ['maxTokens', false],
    ['authorization', true],
    ['set-cookie', true],
    ['client_secret', true],
    ['api-key', true],
    ['pin', true],
    ['spinner', false],
    ['key', false],
    ['author', false],
    ['to', false],
  ])('%s', (name, isSecret) => {
    expect(usual(['user', name])).toBe(isSecret)
  })

  test.each([
    ['card.number', ['order', 'card', 'number'], true],
    ['card.number', ['number'], false],
    ['card.number', ['card', 'holder', 'number'], false],
    ['*.iban', ['iban'], false],
    ['*.iban', ['account', 'iban'], true],
    ['a*b*c', ['a-x-b-y-c'], true],
    ['a*b*c', ['acb'], false],
    ['a*a', ['a'], false],
    ['*', ['anything'], true],
  ])('%s at %j: %s', (path, place, isSecret) => {
    expect(secretPlaces([path])(place)).toBe(isSecret)
  })

  test.each(['', '.', 'a.', '..b', 7, null])('%j cannot be a path', (path) => {
    expect(() => secretPlaces([path as never])).toThrow('redact: got')
  })
})

describe('JSON', () => {
  test('loses what is secret, and keeps every other digit and blank', () => {
    const json =
      '{"n": 12345678901234567890, "user": {"password": "hunter2", "name": "ada"}, "tokens": [1], "token": null}'
    expect(hideInJson(json, usual)).toEqual({
      text: `{"n": 12345678901234567890, "user": {"password": "${HIDDEN}", "name": "ada"}, "tokens": [1], "token": null}`,
      values: ['hunter2'],
    })
  })

  test('loses all of an object, and finds what is in arrays', () => {
    const json = '{"credentials":{"user":"ada","n":[1234]},"all":[{"pin":4321},{"pin":"\\"}"}],"é":"\\\\"}'
    const { text, values } = hideInJson(json, usual)
    expect(text).toBe(`{"credentials":"${HIDDEN}","all":[{"pin":"${HIDDEN}"},{"pin":"${HIDDEN}"}],"é":"\\\\"}`)
    expect(values).toEqual(['ada', '1234', '4321', '"}'])
  })

  test('is JSON again, the same but for what is hidden, whatever it is', () => {
    const isSecret = secretPlaces(['secret'])
    const json = fc.object({ key: fc.constantFrom('secret', 'a', 'b"', '\\'), maxDepth: 4 })
    const expected = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(expected)
      if (typeof value !== 'object' || value === null) return value
      const hide = ([key, inner]: [string, unknown]) => [
        key,
        key === 'secret' && inner !== null ? HIDDEN : expected(inner),
      ]
      return Object.fromEntries(Object.entries(value).map(hide))
    }
    fc.assert(
      fc.property(json, fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(JSON.parse(hideInJson(text, isSecret).text)).toEqual(expected(JSON.parse(text)))
      }),
    )
  })
})

describe('texts', () => {
  test.each([
    ['login with hunter2 failed', 'login with ••• failed'],
    ['got "say \\"hi\\"!" instead', 'got "•••" instead'],
    ['GET /?q=a%20b%2Fc', 'GET /?q=•••'],
    ['password=other&to=ada', 'password=•••&to=ada'],
    ['{"apiKey": "x", "to": "ada"}', '{"apiKey": "•••", "to": "ada"}'],
    ['Authorization: Bearer abc.def', 'Authorization: ••• •••'],
    ['sent Bearer abc.def', 'sent Bearer •••'],
    ['postgres://ada:pw@host/db', 'postgres://ada:•••@host/db'],
    ['no secret: here', 'no secret: •••'],
    ['card.number:4111', 'card.number:•••'],
    ['the number 17 is not 18', 'the number 17 is not 18'],
  ])('%s', (text, shown) => {
    const isSecret = secretPlaces([...USUAL_SECRETS, 'card.number'])
    expect(hideInText(text, ['hunter2', 'say "hi"!', 'a b/c', '17'], isSecret)).toBe(shown)
  })

  test('of any kind take no long', () => {
    for (const text of ['a', 'a=', ' ', '"', ':', '://', 'Bearer ', '\\"', "a:'"]) {
      const long = text.repeat(200_000 / text.length)
      expect(hideInText(long, ['secret'], usual).length).toBeGreaterThan(0)
    }
  })
})
