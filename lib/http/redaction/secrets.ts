/** Which places of a message are secret: by the names of their keys, or by paths. Pure. */
import { ConfigurationError } from '../../base/errors.js'

/**
 * Names that are secret unless a route says otherwise, wherever they stand. A star stands for any text; case, `-` and `_`
 * do not matter, so `*token` is also `access_token` and `X-CSRF-Token`.
 */
export const USUAL_SECRETS: readonly string[] = [
  '*password*',
  '*passwd*',
  '*passphrase*',
  'pwd',
  '*secret*',
  '*token',
  '*apikey*',
  '*accesskey*',
  '*privatekey*',
  '*authorization*',
  'auth',
  '*credential*',
  '*cookie*',
  '*cardnumber*',
  'cvc',
  'cvv',
  'pin',
  'otp',
  'ssn',
  'iban',
]

/** Whether the place at a path of keys is secret. */
export type IsSecret = (path: readonly string[]) => boolean

/**
 * Reads paths such as `password`, `card.number` and `*.token`: names with points between them, in which stars stand for
 * any text. A path is secret if one of them fits its end. The elements of an array are where the array is.
 *
 * @throws ConfigurationError for what cannot be a path.
 */
export function secretPlaces(paths: readonly string[]): IsSecret {
  const patterns = paths.map(parse)
  return (path) => {
    const names = path.map(plain)
    return patterns.some((pattern) => fitsEnd(pattern, names))
  }
}

type Name = (name: string) => boolean

function parse(path: unknown): Name[] {
  const names = typeof path === 'string' ? path.split('.') : []
  if (names.length === 0 || names.some((name) => plain(name) === '')) {
    const found = typeof path === 'string' ? JSON.stringify(path) : typeof path
    throw new ConfigurationError(`redact: got ${found}, wants paths such as 'password', 'card.number' or '*.token'`)
  }
  return names.map((name) => {
    const parts = plain(name).split('*')
    return (given) => fits(parts, given)
  })
}

function fitsEnd(pattern: readonly Name[], names: readonly string[]): boolean {
  const start = names.length - pattern.length
  return start >= 0 && pattern.every((is, place) => is(names[start + place] ?? ''))
}

/** Whether a name begins with the first part, ends with the last, and has the others between them, in their order. */
function fits(parts: readonly string[], name: string): boolean {
  const [first = '', ...others] = parts
  const last = others.pop()
  if (last === undefined) return name === first
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const part of others) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}

/** A name without what does not matter. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '')
}
