/** Whatever a handler threw, as text that can be stored. */
import type { ErrorReport } from './delivery.js'

/** Characters kept: enough to find a fault, few enough to store with each attempt. */
const LONGEST_MESSAGE = 4_000
const LONGEST_STACK = 8_000

/** Describes a thrown value: an error, a text, `undefined`, an object whose getters throw. Never fails. */
export function reportError(thrown: unknown): ErrorReport {
  try {
    return typeof thrown === 'object' && thrown !== null ? reportObject(thrown) : reportPrimitive(thrown)
  } catch {
    return { class: 'Error', message: 'the handler threw a value that cannot be read' }
  }
}

function reportObject(thrown: object): ErrorReport {
  const { name, message, stack, code } = thrown as Record<string, unknown>
  const report: ErrorReport = {
    class: clean(className(thrown, name), 200),
    message: clean(typeof message === 'string' ? message : describe(thrown), LONGEST_MESSAGE),
  }
  if (typeof stack === 'string') report.stack = clean(stack, LONGEST_STACK)
  if (typeof code === 'string' || typeof code === 'number') report.code = clean(String(code), 200)
  return report
}

function reportPrimitive(thrown: unknown): ErrorReport {
  const message = thrown === undefined ? 'the handler threw undefined' : String(thrown)
  return { class: 'NonError', message: clean(message, LONGEST_MESSAGE) }
}

/** Most own classes do not set `name`, which then says "Error". */
function className(thrown: object, name: unknown): string {
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name
  const constructed: unknown = thrown.constructor?.name
  return typeof constructed === 'string' && constructed !== '' ? constructed : 'Error'
}

function describe(thrown: object): string {
  try {
    return JSON.stringify(thrown) ?? String(thrown)
  } catch {
    return String(thrown)
  }
}

/** Postgres takes no NUL and no half surrogate pair. */
export function clean(text: string, longest: number): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text
  return short.toWellFormed().replaceAll('\u0000', '\ufffd')
}
