import { getConfig, validateConfig } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { readDocument, section } from './documents.js'
import { readVariables } from './variables.js'

const text = readDocument('docs/configuration.md')

/** Headings of tables of keys, and where those keys stand. */
const SECTIONS = new Map([
  ['Messages', ''],
  ['retry', 'retry.default.'],
  ['worker', 'worker.'],
  ['retention', 'retention.'],
  ['health', 'health.'],
  ['circuitBreaker', 'circuitBreaker.'],
  ['logging', 'logging.'],
  ['database', 'database.'],
])

const UNITS: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, days: 86_400_000 }

/** What a 32-bit timer holds, and a century: both are rounded in the tables. */
const ROUNDED: Record<string, number> = { '24.8 days': 2_147_483_647, '100 years': 3_155_760_000_000 }

test('every environment variable is there with its key, and no other', () => {
  const rows = section(text, 'Environment variables').matchAll(/^\| `(SYMPHONY_\w+)` \| `([\w.]+)` \|$/gm)
  const documented = new Map([...rows].map(([, name = '', key = '']) => [name, key]))
  expect(documented).toEqual(readVariables())
})

test('every key is there', () => {
  const { transports: _, retry, ...config } = getConfig()
  expect(undocumented({ ...config, retry: { default: retry.default } })).toEqual([])
})

function undocumented(config: object): string[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const forms = [`\`${key}\``, `.${key}\``, `\`${key}.`, `### ${key}\n`]
    const inner = typeof value === 'object' && !Array.isArray(value) ? undocumented(value) : []
    return forms.some((form) => text.includes(form)) ? inner : [key, ...inner]
  })
}

test.each(rows())('what the table says about $key is true', ({ key, initial, least, most }) => {
  expect(initial).toEqual(valueAt(getConfig(), key))
  if (least === undefined || most === undefined) return
  const isValid = (value: number): boolean => validateConfig(nested(key, value)).valid
  expect([least - 1, least, most, most + 1].map(isValid)).toEqual([false, true, true, false])
})

interface Row {
  key: string
  initial: unknown
  least: number | undefined
  most: number | undefined
}

function rows(): Row[] {
  return section(text, 'Keys')
    .split('\n### ')
    .flatMap((part) => rowsOf(part, SECTIONS.get(part.split('\n', 1)[0] ?? '')))
}

/** The rows `| key | type | default | bounds |` of a section. */
function rowsOf(part: string, prefix: string | undefined): Row[] {
  if (prefix === undefined) return []
  return [...part.matchAll(/^\| `([\w.]+)` \| .+ \| (.+) \|(.*)\|$/gm)].map(([, key, initial = '', bounds = '']) => {
    const [least, most] = / (.+) to (.+) /.exec(bounds)?.slice(1).map(readNumber) ?? []
    return {
      key: `${prefix}${key}`,
      initial: readText(initial) ?? readFlag(initial) ?? readNumber(initial),
      least,
      most,
    }
  })
}

function readText(cell: string): string | undefined {
  return /^`'(.*)'`$/.exec(cell)?.[1]
}

function readFlag(cell: string): boolean | undefined {
  return cell === 'false' ? false : undefined
}

function readNumber(cell: string): number | undefined {
  const [, amount, unit = 'ms'] = /^([\d.]+)(?: (\w+))?(?: \(.*\))?$/.exec(cell) ?? []
  return ROUNDED[cell] ?? (amount === undefined ? undefined : Number(amount) * (UNITS[unit] ?? Number.NaN))
}

function valueAt(config: object, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)
}

function nested(key: string, value: number): object {
  return key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object
}
