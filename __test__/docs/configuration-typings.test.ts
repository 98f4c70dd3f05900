/** `lib/config/model.ts` says what the core declares: the same keys, of the same types, with the same figures. */
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { KEYS, type Key, readNumber, readRange } from './configuration-keys.js'

const file = at('lib/config/model.ts')
const program = ts.createProgram([file], { strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext })
const checker = program.getTypeChecker()

interface Typing {
  key: string
  type: ts.Type
  doc: string
}

const typings = typingsOf(typeOf('EnvironmentConfig'), '')

test('every key is there, and no other', () => {
  expect(typings.map(({ key }) => key).sort()).toEqual(KEYS.map(({ key }) => key).sort())
})

describe.each(typings)('the typing of $key', ({ key, type, doc }) => {
  const declared = KEYS.find((one) => one.key === key) as Key

  test('takes what the core takes', () => {
    const members = (type.isUnion() ? type.types : [type]).filter((member) => !(member.flags & ts.TypeFlags.Undefined))
    const words = members.flatMap((member) => (member.isStringLiteral() ? [member.value] : []))
    const others = members.filter((member) => !member.isStringLiteral()).map((member) => checker.typeToString(member))
    expect(others.sort()).toEqual(expected(declared))
    // `Duration` is any text, which swallows the words beside it.
    if (declared.type === 'choice') expect(words.sort()).toEqual([...declared.words].sort())
  })

  test('states the default and the bounds of the core', () => {
    for (const initial of initialsOf(doc, key)) expect(initial).toEqual(declared.default)
    for (const [range] of doc.matchAll(/[\d.]+ to [\d.]*\d/g)) {
      expect(readRange(range)).toEqual([declared.min, declared.max])
    }
  })
})

function typeOf(name: string): ts.Type {
  const source = program.getSourceFile(file)
  const found = source?.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name)
  return checker.getTypeAtLocation(found as ts.InterfaceDeclaration)
}

/** What can be set below `path`. */
function typingsOf(type: ts.Type, path: string): Typing[] {
  return type.getProperties().flatMap((property) => {
    const key = `${path}${property.name}`
    const doc = ts.displayPartsToString(property.getDocumentationComment(checker))
    // The same as all types, once more by type.
    if (key === 'circuitBreaker.types') return []
    return below(checker.getNonNullableType(checker.getTypeOfSymbol(property)), key, doc)
  })
}

function below(type: ts.Type, key: string, doc: string): Typing[] {
  const entry = entryOf(type)
  if (entry !== undefined && key !== 'transports.*.options') {
    // `default` is the entry whose variables and defaults count.
    const path = key === 'retry' ? 'retry.default' : `${key}.*`
    // A map may also have keys of its own beside the names.
    const own = checker.isArrayType(type) ? [] : typingsOf(type, `${key}.`)
    return [...own, ...(isSection(entry) ? typingsOf(entry, `${path}.`) : [{ key: path, type: entry, doc }])]
  }
  return isSection(type) ? typingsOf(type, `${key}.`) : [{ key, type, doc }]
}

/** What a map of names or an array of rules consists of. */
function entryOf(type: ts.Type): ts.Type | undefined {
  if (type.isUnion()) return undefined
  const entry = type.getNumberIndexType() ?? type.getStringIndexType()
  if (entry === undefined || type.flags & ts.TypeFlags.StringLike) return undefined
  return entry.isUnion() ? (entry.types.find(isSection) ?? entry) : entry
}

function isSection(type: ts.Type): boolean {
  const isObject = (type.flags & ts.TypeFlags.Object) !== 0
  return isObject && !checker.isArrayType(type) && type.getStringIndexType() === undefined
}

/** What is not a word of a choice. */
function expected({ key, type }: Key): string[] {
  if (type === 'choice') return key === 'transports.*.type' ? ['string & {}'] : []
  if (type === 'duration') return ['number', 'string']
  if (type === 'list') return ['string', 'string[]']
  if (type === 'flag') return ['false', 'true']
  if (type === 'object') return ['Record<string, unknown>']
  return [type === 'text' ? 'string' : 'number']
}

/** The values after `Default`; two are those of `warning` and `error`. */
function initialsOf(doc: string, key: string): unknown[] {
  const [, stated] = /(?:^|\. )Default (.+?)(?:;|\.(?:\s|$))/.exec(doc) ?? []
  if (stated === undefined) return []
  const values = stated.split(', ').map((value) => value.replace(/ for \w+$/, ''))
  const value = values[values.length > 1 && key.startsWith('health.error') ? 1 : 0] ?? ''
  if (value === 'true' || value === 'false') return [value === 'true']
  return [/^`(.+)`$/.exec(value)?.[1] ?? readNumber(value) ?? value]
}
