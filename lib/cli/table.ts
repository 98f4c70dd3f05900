/** Aligned columns. Pure. */
import { stripVTControlCharacters } from 'node:util'
import type { Paint } from './output.js'

/** One column. */
export interface Column {
  title: string
  /** Numbers stand to the right. */
  right?: boolean
}

/** Rows below their titles, two blanks between columns, nothing at the end of a line. */
export function table(columns: readonly Column[], rows: readonly string[][], paint: Paint): string {
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...rows.map((row) => width(row[index]))))
  const line = (cells: readonly string[], style = (text: string): string => text): string =>
    cells
      .map((cell, index) => {
        const blanks = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)))
        return columns[index]?.right ? blanks + style(cell) : style(cell) + blanks
      })
      .join('  ')
      .trimEnd()
  const titles = line(
    columns.map(({ title }) => title),
    paint.dim,
  )
  return [titles, ...rows.map((row) => line(row))].join('\n')
}

/** Facts, one per line: names, then values, which may have several lines. */
export function facts(entries: ReadonlyArray<readonly [string, string]>, paint: Paint): string {
  const indent = Math.max(...entries.map(([name]) => name.length)) + 2
  return entries
    .map(([name, value]) => `${paint.dim(name.padEnd(indent))}${value.replaceAll('\n', `\n${' '.repeat(indent)}`)}`)
    .join('\n')
}

function width(text = ''): number {
  return [...stripVTControlCharacters(text)].length
}
