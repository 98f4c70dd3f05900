import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textAt } from './json-text.js'

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const indents = fc.constantFrom('', ' ', '\t', '\n', '  ')

test('the text of a value is what JSON.stringify wrote, whatever stands around it', () => {
  fc.assert(
    fc.property(json, json, indents, (value, other, indent) => {
      const text = JSON.stringify({ other, message: { more: other, payload: value, last: other } }, null, indent)
      expect(textAt(text, 'message', 'payload')).toBe(JSON.stringify(value))
      expect(textAt(text, 'other')).toBe(JSON.stringify(other))
    }),
  )
})

test('any key is found, however it is written', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), json, (key, value) => {
      const text = `{${JSON.stringify(key)}:${JSON.stringify(value)}}`
      expect(textAt(text, key)).toBe(JSON.stringify(value))
    }),
  )
  expect(textAt('{"p\\u0061yload":1}', 'payload')).toBe('1')
})

test('numbers stay as they are, digit by digit', () => {
  for (const number of ['9007199254740993', '1e400', '-0', '1.10', '0.1000000000000000055511151231257827', '1E+2']) {
    expect(textAt(`{ "a" : { "b" : [ ${number} , "x y" ] } }`, 'a', 'b')).toBe(`[${number},"x y"]`)
  }
})

test('the last of several counts, as for JSON.parse', () => {
  expect(textAt('{"a":1,"b":{"a":2},"a":[3]}', 'a')).toBe('[3]')
})

test('what is not there has no text', () => {
  for (const text of ['{}', '{"a":1}', '{"a":[{"b":1}]}', '[]', '"b"', '1', 'null', ' {"a":null} ']) {
    expect(textAt(text, 'a', 'b')).toBeUndefined()
  }
})
