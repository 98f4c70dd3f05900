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

/** A payload: a JSON object. */
export function payloadOf(text: string): Record<string, unknown> {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (error) {
    throw new Exit(EXIT.usage, `the payload is not JSON: ${(error as Error).message}`)
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) {
    return payload as Record<string, unknown>
  }
  throw new Exit(EXIT.usage, `the payload must be a JSON object, such as '{ "to": "ada@example.com" }'`)
}
