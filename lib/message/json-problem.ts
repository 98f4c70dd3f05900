/**
 * The slow path of serialization: why a value cannot travel as JSON in Postgres, and where.
 *
 * Runs only if `JSON.stringify` threw, or its result looks suspicious.
 */
import { types } from 'node:util'

/** What is wrong, and where: `payload.items[3].name`. */
export interface JsonProblem {
  path: string
  problem: string
}

/** Whether `json`, made from `value`, may hold what `jsonb` refuses, or `null` for an invalid date. */
export function looksSuspicious(json: string, value: unknown): boolean {
  if (json.includes('\\u') && /\\u(?:0000|d[89a-f])/.test(json)) return true
  if (!json.includes('null')) return false
  try {
    return hasInvalidDate(value)
  } catch {
    // Nested so deeply that the stack is full, or with a getter that throws.
    return true
  }
}

/** Whether a value is text that Postgres can hold. */
export function isStorable(value: unknown): value is string {
  return typeof value === 'string' && textProblem(value, '') === undefined
}

function hasInvalidDate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (types.isDate(value)) return Number.isNaN(value.getTime())
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false
  return Object.values(value).some(hasInvalidDate)
}

/** The first thing in `value` that cannot be represented; `undefined` if all of it can. */
export function findProblem(value: unknown, path: string): JsonProblem | undefined {
  try {
    return visit(value, path, '', [])
  } catch (error) {
    if (error instanceof RangeError) return { path, problem: 'is nested too deeply' }
    return { path, problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function visit(given: unknown, path: string, key: string, ancestors: object[]): JsonProblem | undefined {
  if (types.isDate(given) && Number.isNaN(given.getTime())) return { path, problem: 'is an invalid Date' }
  const value = asStringifySees(given, key)
  if (typeof value === 'string') return textProblem(value, path)
  if (typeof value === 'bigint') return { path, problem: 'is a BigInt, which JSON cannot carry; use a string' }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return { path, problem: 'refers back to an object that contains it' }
  return visitMembers(value, path, [...ancestors, value])
}

function visitMembers(value: object, path: string, ancestors: object[]): JsonProblem | undefined {
  const inArray = Array.isArray(value)
  for (const [key, member] of Object.entries(value)) {
    const where = inArray ? `${path}[${key}]` : joinPath(path, key)
    const problem = (inArray ? undefined : keyProblem(key, where)) ?? visit(member, where, key, ancestors)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** What `JSON.stringify` makes of a value before it writes it. */
function asStringifySees(value: unknown, key: string): unknown {
  const toJSON = (value as { toJSON?: unknown } | null | undefined)?.toJSON
  const seen = typeof toJSON === 'function' ? toJSON.call(value, key) : value
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
