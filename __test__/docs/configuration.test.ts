import { getConfig, validateConfig } from '@leadmap/symphony'
import { describe, expect, test } from 'vitest'
import { KEYS, type Key, readNumber, readRange, VARIABLES } from './configuration-keys.js'
import { readDocument, section } from './documents.js'

const text = readDocument('docs/configuration.md')

/** Headings of tables of keys, and where those keys stand. */
const SECTIONS = new Map([
  ['Messages', ''],
  ['transports', 'transports.*.'],
  ['priorityRouting', 'priorityRouting.*.'],
  ['retry', 'retry.default.'],
  ['worker', 'worker.'],
  ['retention', 'retention.'],
  ['health', 'health.'],
  ['circuitBreaker', 'circuitBreaker.'],
  ['logging', 'logging.'],
  ['database', 'database.'],
  ['features', 'features.'],
])

/** How the column `type` begins; for a choice it lists the words, or the last column does. */
const TYPES: Array<[RegExp, Key['type'][]]> = [
  [/^whole number/, ['whole']],
  [/^(number|fraction)/, ['number']],
  [/^duration/, ['duration']],
  [/^true or false/, ['flag']],
  [/^(name or names|types and patterns)/, ['list']],
  [/^object/, ['object']],
  [/^(name|text|`')/, ['text', 'choice']],
]

const rows = section(text, 'Keys').split('\n### ').flatMap(rowsOf)

test('every environment variable is there with its key, and no other', () => {
  const table = section(text, 'Environment variables').matchAll(/^\| `(SYMPHONY_[\w*]+)` \| `([\w.*]+)` \|$/gm)
  const documented = [...table].map(([, name, key]) => [name, key])
  expect(documented.sort()).toEqual([...VARIABLES].sort())
})

test('every key is there, and no other', () => {
  const documented = rows.map(({ key }) => key)
  // Their only keys are names of types, and of targets.
  expect([...documented, 'routing.*', 'logging.targets.*'].sort()).toEqual(KEYS.map(({ key }) => key).sort())
})

describe.each(rows)('what the table says about $key', ({ key, type, initial, bounds }) => {
  const declared = KEYS.find((one) => one.key === key)

  test('is what the core declares', () => {
    expect(initial).toEqual(declared?.default)
    const [, types] = TYPES.find(([form]) => form.test(type)) ?? []
    if (type !== 'as above') expect(types).toContain(declared?.type)
    if (declared?.type !== 'flag') expect(readRange(bounds)).toEqual([declared?.min, declared?.max])
    expect(wordsOf(declared, type, bounds)).toEqual(declared?.words)
  })
})

const fixed = KEYS.filter(({ key }) => !key.includes('*'))

test.each(fixed)('$key has its default', ({ key, default: initial }) => {
  expect(valueAt(getConfig(), key) ?? null).toEqual(initial)
})

test.each(fixed.filter(({ min, max }) => min !== null && max !== null))('$key has its bounds', ({ key, min, max }) => {
  const isValid = (value: number): boolean => validateConfig(nested(key, value)).valid
  const [least, most] = [min ?? 0, max ?? 0]
  expect([least - 1, least, most, most + 1].map(isValid)).toEqual([false, true, true, false])
})

interface Row {
  key: string
  type: string
  initial: unknown
  bounds: string
}

/** The rows `| key | type | default | bounds |` of a section. */
function rowsOf(part: string): Row[] {
  const prefix = SECTIONS.get(part.split('\n', 1)[0] ?? '')
  const table = part.matchAll(/^\| `([\w.*]+)` \| (.+) \| (.+) \|(.*)\|$/gm)
  return [...table].map(([, key = '', type = '', initial = '', bounds = '']) => ({
    key: `${prefix}${key}`,
    type,
    initial: readInitial(initial),
    bounds: bounds.trim().replace('`min`', '1'),
  }))
}

/** A text, a flag, an object, a number; `null` for everything that says where the value comes from. */
function readInitial(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  if (cell === '`{}`') return {}
  return /^`'(.*)'`$/.exec(cell)?.[1] ?? readNumber(cell) ?? null
}

function wordsOf(declared: Key | undefined, type: string, bounds: string): string[] {
  const quoted = [...type.matchAll(/`'(\w+)'`/g)]
  if (quoted.length > 0 || declared?.type !== 'choice') return quoted.map(([, word = '']) => word)
  return [...bounds.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)
}

function valueAt(config: object, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)
}

function nested(key: string, value: number): object {
  return key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object
}
