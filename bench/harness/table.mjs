/** The figures as text. */

const columns = /** @type {const} */ ([
  ['system', ({ system, version }) => `${system} ${version ?? ''}`, 30],
  ['n', ({ n }) => figure(n), 10],
  ['per second', ({ perSecond }) => figure(perSecond), 12],
  ['spread', ({ spread }) => (spread ? `${figure(spread[0])}-${figure(spread[1])}` : ''), 18],
  ['p50 ms', ({ p50 }) => figure(p50), 9],
  ['p99 ms', ({ p99 }) => figure(p99), 9],
  ['own µs', ({ cpuNode }) => figure(cpuNode), 8],
  ['pg µs', ({ cpuPostgres }) => figure(cpuPostgres), 8],
  ['MB', ({ rssMb }) => figure(rssMb), 7],
  ['of raw', ({ ratioToRaw }) => figure(ratioToRaw), 8],
  ['best peer', ({ ratioToBestPeer }) => times(ratioToBestPeer), 10],
])

/** @param {import('./compare.mjs').Measurement[]} results */
export function table(results) {
  const names = [...new Set(results.map((it) => it.case))]
  return names
    .map((name) =>
      block(
        name,
        results.filter((it) => it.case === name),
      ),
    )
    .join('\n')
}

function block(name, results) {
  const row = (cell) => columns.map(([title, value, width], index) => pad(cell(title, value), width, index)).join('')
  const lines = results.map((result) => row((_, value) => value(result)) + remarks(result))
  return `\n${name}\n${row((title) => title)}\n${lines.join('\n')}`
}

function remarks({ more }) {
  return more
    ? `  ${Object.entries(more)
        .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : figure(value)}`)
        .join(', ')}`
    : ''
}

const pad = (text, width, index) => (index === 0 ? text.padEnd(width) : text.padStart(width))
const times = (value) => (value === null ? '' : `${value} x`)

function figure(value) {
  if (value === null || value === undefined) return ''
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : String(value)
}
