/**
 * Parts of a JSON text as they were written: `JSON.parse` keeps only what a double can hold, so 9007199254740993 comes
 * out as …992. The text has been parsed before, so it is JSON.
 */

/** The text of the value at a path of keys, without blanks between its parts; `undefined` if it is absent. */
export function textAt(json: string, ...path: string[]): string | undefined {
  let at: number | undefined = afterBlanks(json, 0)
  for (const key of path) {
    if (at === undefined) return undefined
    at = json[at] === '{' ? memberOf(json, at, key) : undefined
  }
  return at === undefined ? undefined : compact(json, at, endOfValue(json, at))
}

/** Where the value of a key begins. The last one counts, as for `JSON.parse` and Postgres. */
function memberOf(json: string, object: number, key: string): number | undefined {
  let found: number | undefined
  let at = afterBlanks(json, object + 1)
  while (json[at] === '"') {
    const end = endOfString(json, at)
    const value = afterBlanks(json, afterBlanks(json, end) + 1)
    if (JSON.parse(json.slice(at, end)) === key) found = value
    at = afterBlanks(json, endOfValue(json, value))
    if (json[at] === ',') at = afterBlanks(json, at + 1)
  }
  return found
}

/** The index after the value that begins at `start`. */
export function endOfValue(json: string, start: number): number {
  let depth = 0
  let at = start
  do {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (isWord(character)) at = endOfWord(json, at)
    else {
      if (character === '{' || character === '[') depth += 1
      if (character === '}' || character === ']') depth -= 1
      at += 1
    }
  } while (depth > 0)
  return at
}

/** The index after the closing quote of the string that opens at `open`. */
export function endOfString(json: string, open: number): number {
  for (let at = json.indexOf('"', open + 1); ; at = json.indexOf('"', at + 1)) {
    let backslashes = 0
    while (json[at - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
}

/** The index after a number, `true`, `false` or `null`. */
function endOfWord(json: string, start: number): number {
  let at = start
  while (isWord(json[at])) at += 1
  return at
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\w.+-]/.test(character)
}

/** The index of the first character from `start` on other than a blank. */
export function afterBlanks(json: string, start: number): number {
  let at = start
  while (BLANKS.includes(json[at] ?? 'x')) at += 1
  return at
}

const BLANKS = [' ', '\n', '\r', '\t']

function compact(json: string, start: number, end: number): string {
  const parts: string[] = []
  let from = start
  for (let at = start; at < end; ) {
    if (json[at] === '"') at = endOfString(json, at)
    else if (BLANKS.includes(json[at] ?? '')) {
      parts.push(json.slice(from, at))
      at = afterBlanks(json, at)
      from = at
    } else at += 1
  }
  return parts.join('') + json.slice(from, end)
}
