/**
 * `node scripts/chart.mjs`: draws docs/benchmark.svg, the chart in the README, from the tables of
 * docs/performance-tuning.md. A test fails while the two differ.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { at } from './setup/paths.mjs'

/** What is drawn: a column of the table below a heading, and whether a longer bar is a better one. */
const PANELS = [
  { heading: 'Sending', column: 1, title: 'Sending in batches', unit: 'messages per second, more is better' },
  { heading: 'Draining', column: 1, title: 'Handling, one process', unit: 'messages per second, more is better' },
  {
    heading: 'Waiting',
    column: 1,
    title: 'From dispatch to handler, idle',
    unit: 'milliseconds, median, less is better',
  },
]

/** Rows by the name that the chart gives them; those of the table that are not here are left out. */
const NAMES = new Map([
  ['Symphony', 'Symphony'],
  ['Symphony, rows deleted', 'Symphony'],
  ['graphile-worker', 'graphile-worker'],
  ['pg-boss', 'pg-boss'],
  ['pg-boss, rows kept', 'pg-boss'],
  ['BullMQ on Postgres', 'BullMQ on Postgres'],
  ['BullMQ on Redis', 'BullMQ on Redis*'],
])
const ORDER = [...new Set(NAMES.values())]

const WIDTH = 860
const LABEL = 160
const BAR = 560
const ROW = 24

/** @param {string} document The text of docs/performance-tuning.md. */
export function drawChart(document) {
  let y = 20
  const panels = PANELS.map(({ heading, column, title, unit }) => {
    const drawn = panel(readColumn(document, heading, column), y, title, unit)
    y += 34 + ORDER.length * ROW + 16
    return drawn
  })
  const height = y + 16
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13" role="img">
<title>Messages per second and latency of Symphony, graphile-worker, pg-boss and BullMQ</title>
<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>
${panels.join('\n')}
${text(24, height - 14, '* answers from memory; all others answer after the commit', 'font-size="12" fill="#57606a"')}
</svg>
`
}

/** @returns {Array<{ name: string, figure: string }>} */
function readColumn(document, heading, column) {
  const [, section = ''] = new RegExp(`^### ${heading}$([\\s\\S]*?)^###? `, 'm').exec(document) ?? []
  const rows = [...section.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | '))
  const found = rows.flatMap((cells) => {
    const name = NAMES.get(cells[0] ?? '')
    return name ? [{ name, figure: (cells[column] ?? '').replace(/\/s$/, '') }] : []
  })
  if (found.length !== ORDER.length) throw new Error(`the table below "${heading}" lacks a system`)
  return found.sort((one, other) => ORDER.indexOf(one.name) - ORDER.indexOf(other.name))
}

function panel(rows, top, title, unit) {
  const values = rows.map(({ figure }) => Number.parseFloat(figure.replaceAll(',', '')))
  const most = Math.max(...values)
  const heading = [
    text(24, top + 16, title, 'font-weight="600" font-size="15" fill="#1f2328"'),
    text(WIDTH - 24, top + 16, unit, 'text-anchor="end" font-size="12" fill="#57606a"'),
  ].join('')
  const bars = rows.map(({ name, figure }, index) => {
    const y = top + 34 + index * ROW
    const length = Math.max(2, (BAR * (values[index] ?? 0)) / most)
    const own = name === 'Symphony'
    return [
      text(LABEL, y + 13, name, `text-anchor="end" fill="#1f2328"${own ? ' font-weight="600"' : ''}`),
      `<rect x="${LABEL + 12}" y="${y}" width="${length.toFixed(1)}" height="17" rx="3" fill="${own ? '#0f766e' : '#b6bfc9'}"/>`,
      text(LABEL + 20 + length, y + 13, figure, `fill="#1f2328"${own ? ' font-weight="600"' : ''}`),
    ].join('')
  })
  return [heading, ...bars].join('\n')
}

const text = (x, y, content, attributes) => `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${content}</text>`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(at('docs/benchmark.svg'), drawChart(readFileSync(at('docs/performance-tuning.md'), 'utf8')))
}
