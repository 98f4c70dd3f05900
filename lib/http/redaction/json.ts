/** JSON text with its secrets hidden, and every other digit as it was. Pure. */
import { afterBlanks, endOfString, endOfValue } from '../requests/json-text.js'
import type { IsSecret } from './secrets.js'

/** What stands where a secret was. */
export const HIDDEN = '•••'

/** A text without its secrets. */
export interface Hidden {
  text: string
  /** The texts and numbers that were hidden, as other texts may quote them. */
  values: string[]
}

/** Hides the values at all places that are secret; `null` stays, for it says that there is nothing. */
export function hideInJson(json: string, isSecret: IsSecret): Hidden {
  const parts: string[] = []
  const values: string[] = []
  let copied = 0
  const hide = (start: number, end: number): void => {
    const value: unknown = JSON.parse(json.slice(start, end))
    if (value === null) return
    values.push(...scalars(value))
    parts.push(json.slice(copied, start), JSON.stringify(HIDDEN))
    copied = end
  }
  const path: string[] = []
  /** Looks through the value at an index, and returns where it ends. */
  const look = (start: number): number => {
    const opening = json[start]
    if (opening !== '{' && opening !== '[') return endOfValue(json, start)
    let at = afterBlanks(json, start + 1)
    while (json[at] !== '}' && json[at] !== ']') {
      at = opening === '{' ? member(at) : look(at)
      at = afterBlanks(json, at)
      if (json[at] === ',') at = afterBlanks(json, at + 1)
    }
    return at + 1
  }
  const member = (start: number): number => {
    const end = endOfString(json, start)
    const value = afterBlanks(json, afterBlanks(json, end) + 1)
    path.push(JSON.parse(json.slice(start, end)) as string)
    let after: number
    if (isSecret(path)) {
      after = endOfValue(json, value)
      hide(value, after)
    } else after = look(value)
    path.pop()
    return after
  }
  look(afterBlanks(json, 0))
  return { text: parts.join('') + json.slice(copied), values }
}

/** All texts and numbers in a value. */
function scalars(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(scalars)
}
