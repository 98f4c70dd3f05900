/** Whatever a handler threw, as text that can be stored. */
import type { ErrorReport } from './delivery.js'

/** Kept: enough to find a fault, little enough to store with each attempt. */
const LONGEST_MESSAGE = 4_000
const LONGEST_STACK = 2_000
const FRAMES = 10
/** Errors that caused an error, each in one line of so many characters. */
const CAUSES = 3
const LONGEST_CAUSE = 300

/** Describes a thrown value: an error, a text, `undefined`, an object whose getters throw. Never fails. */
export function reportError(thrown: unknown): ErrorReport {
  try {
    return typeof thrown === 'object' && thrown !== null ? reportObject(thrown) : reportPrimitive(thrown)
  } catch {
    return { class: 'Error', message: 'the handler threw a value that cannot be read' }
  }
}

function reportObject(thrown: object): ErrorReport {
  const { name, message, code } = thrown as Record<string, unknown>
  const report: ErrorReport = {
    class: clean(className(thrown, name), 200),
    message: clean(typeof message === 'string' ? message : describe(thrown), LONGEST_MESSAGE),
  }
  const stack = [...framesOf(thrown), ...causesOf(thrown)].join('\n')
  if (stack !== '') report.stack = clean(stack, LONGEST_STACK)
  if (typeof code === 'string' || typeof code === 'number') report.code = clean(String(code), 200)
  return report
}

/**
 * Where it was thrown. What stands above the frames is the message, which may quote a payload and is kept by itself;
 * frames of Node.js are left out.
 */
function framesOf(thrown: object): string[] {
  const { stack, message } = thrown as Record<string, unknown>
  if (typeof stack !== 'string') return []
  const said = typeof message === 'string' ? stack.indexOf(message) : -1
  // An error whose message was changed later keeps the old one here.
  const lines = (said === -1 ? stack : stack.slice(said + String(message).length)).split('\n')
  return lines.filter((line) => /^\s+at /.test(line) && !/\bnode:/.test(line)).slice(0, FRAMES)
}

/** What caused it, such as the refused connection behind "fetch failed". */
function causesOf(thrown: object): string[] {
  const causes: string[] = []
  let { cause } = thrown as Record<string, unknown>
  while (typeof cause === 'object' && cause !== null && causes.length < CAUSES) {
    const { name, message, cause: next } = cause as Record<string, unknown>
    const text = `${className(cause, name)}: ${typeof message === 'string' ? message : ''}`
    causes.push(`    caused by ${clean(text.replaceAll('\n', ' '), LONGEST_CAUSE)}`)
    cause = next
  }
  return causes
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
