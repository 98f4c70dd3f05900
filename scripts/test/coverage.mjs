/** From coverage reports to percentages. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { at, root } from '../setup/paths.mjs'

/**
 * @typedef {{ covered: number, total: number }} Lines
 * @typedef {Lines & { path: string, missing: number[] }} FileLines
 */

/**
 * Reads the report on the Rust core and leaves it in `coverage/`: for editors, and as a table of files for people.
 *
 * @param {string} lcov
 * @returns {Lines}
 */
export function rustLines(lcov) {
  const files = readLcov(lcov)
  mkdirSync(at('coverage'), { recursive: true })
  writeFileSync(at('coverage', 'rust.lcov'), lcov)
  writeFileSync(at('coverage', 'rust.txt'), table(files))
  return sum(files)
}

/**
 * Reads vitest's summary of `lib/`.
 *
 * @returns {Lines}
 */
export function libraryLines() {
  const { total } = JSON.parse(readFileSync(at('coverage', 'coverage-summary.json'), 'utf8'))
  return { covered: total.lines.covered, total: total.lines.total }
}

/** @param {Lines} lines */
export function percent({ covered, total }) {
  return total === 0 ? 0 : (100 * covered) / total
}

/**
 * @param {string} lcov
 * @returns {FileLines[]}
 */
export function readLcov(lcov) {
  return lcov.split('end_of_record').flatMap((record) => {
    const [, path] = /^SF:(.+)$/m.exec(record) ?? []
    const number = (name) => Number(new RegExp(`^${name}:(\\d+)$`, 'm').exec(record)?.[1] ?? 0)
    const missing = [...record.matchAll(/^DA:(\d+),0$/gm)].map(([, line]) => Number(line))
    return path ? [{ path: relative(root, path), covered: number('LH'), total: number('LF'), missing }] : []
  })
}

/** One row per file, with the lines that never ran. @param {FileLines[]} files */
export function table(files) {
  const rows = files.map((file) => {
    const share = `${percent(file).toFixed(1)} %`.padStart(8)
    return `${share}  ${`${file.covered}/${file.total}`.padStart(9)}  ${file.path.padEnd(44)} ${ranges(file.missing)}`.trimEnd()
  })
  return `${rows.join('\n')}\n`
}

/** @param {Lines[]} files @returns {Lines} */
function sum(files) {
  return files.reduce((all, file) => ({ covered: all.covered + file.covered, total: all.total + file.total }), {
    covered: 0,
    total: 0,
  })
}

/** `1-3, 7` for 1, 2, 3, 7. @param {number[]} lines */
function ranges(lines) {
  /** @type {Array<{ from: number, to: number }>} */
  const groups = []
  for (const line of lines) {
    const last = groups.at(-1)
    if (last && last.to === line - 1) last.to = line
    else groups.push({ from: line, to: line })
  }
  return groups.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(', ')
}
