/**
 * Whether a value can travel as JSON in Postgres: a quick answer, and a slow one that says why not, and where.
 *
 * The slow one runs only if the quick one is no, `JSON.stringify` threw, or its result looks suspicious.
 */
import { types } from 'node:util'
import { isPlainObject } from '../base/plain-object.js'
import { lossOf } from './json-loss.js'

/** What is wrong, and where: `payload.items[3].name`. */
export interface JsonProblem {
  path: string
  problem: string
}

/** Whether `json` may hold what `jsonb` refuses. */
export function looksSuspicious(json: string): boolean {
  return json.includes('\\u') && /\\u(?:0000|d[89a-f])/.test(json)
}

/**
 * Whether it is certain that JSON loses nothing of a value: the quick check of every dispatch, before the one that
 * finds out what is lost and where. Measured: 40 ns of the 660 that `JSON.stringify` takes for six fields, 500 of 3,300
 * for 60 fields in 13 objects; a replacer, which could do the same, doubles the time of `JSON.stringify`.
 */
export function isLossless(value: unknown): boolean {
  try {
    return isPlain(value)
  } catch {
    // Nested so deeply that the stack is full, a cycle, or a getter that throws.
    return false
  }
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || isPlainInside(value)
    default:
      return false
  }
}

function isPlainInside(value: object): boolean {
  if (Array.isArray(value)) return areAllPlain(value)
  // An own toJSON() of a plain object is a function among its fields, which the slow answer looks into.
  if (!isPlainObject(value)) return hasToJson(value) && !isInvalidDate(value)
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined && !isPlain(member)) return false
  }
  return true
}

/** By index: `every` passes over holes, of which JSON makes `null`. */
function areAllPlain(values: readonly unknown[]): boolean {
  for (let index = 0; index < values.length; index += 1) {
    if (!isPlain(values[index])) return false
  }
  return true
}

/** Whether a value is text that Postgres can hold. */
export function isStorable(value: unknown): value is string {
  return typeof value === 'string' && textProblem(value, '') === undefined
}

function isInvalidDate(value: unknown): boolean {
  return types.isDate(value) && Number.isNaN(value.getTime())
}

/** The first thing in `value` that cannot be represented; `undefined` if all of it can. */
export function findProblem(value: unknown, path: string): JsonProblem | undefined {
  try {
    return visit(value, path, '', { objects: [], meant: false })
  } catch (error) {
    if (error instanceof RangeError) return { path, problem: 'is nested too deeply' }
    return { path, problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** Where a walk is: the objects above, and whether a toJSON() among them says that what is lost is meant so. */
interface Above {
  objects: object[]
  meant: boolean
}

function visit(given: unknown, path: string, key: string, above: Above): JsonProblem | undefined {
  if (isInvalidDate(given)) return { path, problem: 'is an invalid Date' }
  const value = asStringifySees(given, key)
  const meant = above.meant || hasToJson(given)
  if (typeof value === 'string') return textProblem(value, path)
  const loss = meant ? undefined : lossOf(value)
  if (loss !== undefined) return { path, problem: loss }
  if (typeof value === 'bigint') return { path, problem: 'is a BigInt, which JSON cannot carry; use a string' }
  if (typeof value !== 'object' || value === null) return undefined
  if (above.objects.includes(value)) return { path, problem: 'refers back to an object that contains it' }
  return visitMembers(value, path, { objects: [...above.objects, value], meant })
}

function visitMembers(value: object, path: string, above: Above): JsonProblem | undefined {
  if (Array.isArray(value)) return visitItems(value, path, above)
  for (const [key, member] of Object.entries(value)) {
    const where = joinPath(path, key)
    const problem = keyProblem(key, where) ?? (member === undefined ? undefined : visit(member, where, key, above))
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Holes included, which `Object.entries` leaves out. */
function visitItems(items: readonly unknown[], path: string, above: Above): JsonProblem | undefined {
  for (const [index, item] of items.entries()) {
    const problem = visit(item, `${path}[${index}]`, String(index), above)
    if (problem !== undefined) return problem
  }
  return undefined
}

function hasToJson(value: unknown): boolean {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function'
}

/** What `JSON.stringify` makes of a value before it writes it. */
function asStringifySees(value: unknown, key: string): unknown {
  const seen = hasToJson(value) ? (value as { toJSON(key: string): unknown }).toJSON(key) : value
  return types.isBoxedPrimitive(seen) ? seen.valueOf() : seen
}

function textProblem(text: string, path: string): JsonProblem | undefined {
  if (text.includes('\u0000')) return { path, problem: 'contains \\u0000, which Postgres cannot store' }
  if (!text.isWellFormed()) return { path, problem: 'contains a lone surrogate, which is not valid Unicode' }
  return undefined
}

function keyProblem(key: string, path: string): JsonProblem | undefined {
  const problem = textProblem(key, path)
  return problem && { path, problem: `has a key that ${problem.problem}` }
}

/** `parent.key`, or `parent["odd key"]` if the key is not an identifier. */
export function joinPath(parent: string, key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key) ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`
}
