/** Patterns of message types: a name, a prefix with a star (`Email*`), or a star alone. */

/** Whether a type matches a name or a pattern. */
export function matches(pattern: string, type: string): boolean {
  return pattern === type || (isPattern(pattern) && type.startsWith(pattern.slice(0, -1)))
}

/** Whether a name stands for more than one type. */
export function isPattern(name: string): boolean {
  return name.endsWith('*')
}

/** Orders names as they are tried: exact first, then the longest prefix. */
export function bySpecificity(left: string, right: string): number {
  return Number(isPattern(left)) - Number(isPattern(right)) || right.length - left.length
}

/** The most specific of `patterns` that a type matches. */
export function bestPattern(patterns: string[], type: string): string | undefined {
  return patterns.filter((pattern) => matches(pattern, type)).sort(bySpecificity)[0]
}
