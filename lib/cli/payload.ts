/** Payloads as commands get them: JSON, `@file` or `-` for stdin. */
import { readFileSync } from 'node:fs'
import { EXIT, Exit } from './exit.js'
import { stdin } from './selection.js'

/** The text that an argument stands for. */
export async function textOf(word: string): Promise<string> {
  if (word === '-') return stdin()
  if (!word.startsWith('@')) return word
  try {
    return readFileSync(word.slice(1), 'utf8')
  } catch (error) {
    throw new Exit(EXIT.notFound, `${word.slice(1)} cannot be read: ${(error as Error).message}`)
  }
}

/** A JSON object. `what` it is comes first in a refusal. */
export function payloadOf(text: string, what = 'the payload'): Record<string, unknown> {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (error) {
    throw new Exit(EXIT.usage, `${what} is not JSON: ${(error as Error).message}`)
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) {
    return payload as Record<string, unknown>
  }
  throw new Exit(EXIT.usage, `${what} must be a JSON object, such as '{ "to": "ada@example.com" }'`)
}

/** The same, without numbers that JSON.parse() would change: who needs every digit sends text. */
export function exactPayloadOf(text: string, what: string): Record<string, unknown> {
  const payload = payloadOf(text, what)
  const numbers = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/(?<![\d.eE+-])-?\d+(?![\d.eE])/g) ?? []
  const lost = numbers.find((digits) => !Number.isSafeInteger(Number(digits)))
  if (lost === undefined) return payload
  throw new Exit(EXIT.usage, `${what} has ${lost}, which is larger than 2^53: write it as text`)
}
