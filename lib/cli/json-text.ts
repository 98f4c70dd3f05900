/** JSON as people read it, with every digit that it has: `JSON.parse` rounds large numbers. */

/** Indents JSON that is one line, as `JSON.stringify(value, null, 2)` would. */
export function indented(json: string): string {
  const tokens = json.match(TOKENS) ?? []
  let depth = 0
  let text = ''
  for (const [place, token] of tokens.entries()) {
    if (token === '{' || token === '[') {
      depth += 1
      text += isEnd(tokens[place + 1]) ? token : token + line(depth)
    } else if (isEnd(token)) {
      depth -= 1
      const before = tokens[place - 1]
      text += before === '{' || before === '[' ? token : line(depth) + token
    } else if (token === ',') text += token + line(depth)
    else text += token === ':' ? ': ' : token
  }
  return text
}

/** Strings, signs, and whatever else stands between them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g

function isEnd(token: string | undefined): boolean {
  return token === '}' || token === ']'
}

function line(depth: number): string {
  return `\n${'  '.repeat(depth)}`
}
