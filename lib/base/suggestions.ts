/** "Did you mean …?" for a word that is not among the known ones, as in `src/base/suggestions.rs`. */

/** What is wrong with a word of some kind, such as an `option`: what there is and, if one is close, what was meant. */
export function unknown(kind: string, given: string, known: readonly string[]): string {
  const list = `unknown ${kind}; the ${kind}s are ${known.join(', ')}`
  const meant = nearest(known, given)
  return meant === undefined ? list : `${list}; did you mean "${meant}"?`
}

/** The end of a sentence about a word that is not known; empty if none of the known ones is close. */
export function didYouMean(known: readonly string[], given: string): string {
  const meant = nearest(known, given)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** The first key that is not known; `undefined` if all are. */
export function unknownKey(given: object, known: readonly string[]): string | undefined {
  return Object.keys(given).find((key) => !known.includes(key))
}

/** The known word with the fewest different letters, at most a third of them; case, `_` and `-` do not count. */
export function nearest(known: readonly string[], given: string): string | undefined {
  const wanted = letters(given)
  let best: { word: string; differences: number } | undefined
  for (const word of known) {
    const differences = distance(letters(word), wanted)
    if (best === undefined || differences < best.differences) best = { word, differences }
  }
  return best !== undefined && best.differences * 3 <= best.word.length ? best.word : undefined
}

/** No known word is longer, and the distance costs time by the product of both lengths. */
function letters(word: string): string {
  return word.slice(0, 60).replace(/[-_ ]/g, '').toLowerCase()
}

/** Levenshtein's distance, letters to insert, delete or replace, where two that were swapped count as one. */
function distance(from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 0; line < from.length; line += 1) {
    const next = [line + 1]
    for (let column = 0; column < to.length; column += 1) {
      const replaced = at(row, column) + Number(from[line] !== to[column])
      const swapped = line > 0 && column > 0 && from[line] === to[column - 1] && from[line - 1] === to[column]
      const nearest = Math.min(replaced, at(row, column + 1) + 1, at(next, column) + 1)
      next.push(swapped ? Math.min(nearest, at(before, column - 1) + 1) : nearest)
    }
    before = row
    row = next
  }
  return at(row, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] as number
}
