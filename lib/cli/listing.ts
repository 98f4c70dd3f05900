/** Lists for people and for programs. */
import type { Output } from './output.js'
import { type Column, table } from './table.js'

/** What a list says where there is nothing, and what its rows look like. */
export interface Listing<T> {
  columns: readonly Column[]
  row: (thing: T) => string[]
  /** As `nobody is at work`. */
  empty: string
}

/** Prints one document, a line per thing, or a table. */
export function print<T>(all: readonly T[], { columns, row, empty }: Listing<T>, out: Output): void {
  if (out.json === 'document') out.data(all)
  else if (out.json === 'lines') for (const thing of all) out.data(thing)
  else if (all.length === 0) out.say(out.shade.dim(empty))
  else out.print(table(columns, all.map(row), out.paint))
}
