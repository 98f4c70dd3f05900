/** The figures as an SVG: a panel per case, a bar per system. */

const width = 980
const barHeight = 22
const labelWidth = 190
const barWidth = 560
const colours = { symphony: '#0f766e', 'symphony-kept': '#5fa8a0', raw: '#9ca3af', 'raw-kept': '#c3c8cf' }
const peer = '#b45309'

/**
 * @param {import('./compare.mjs').Measurement[]} results
 * @param {string} title
 */
export function chart(results, title) {
  const names = [...new Set(results.map((it) => it.case))]
  let y = 70
  const panels = names.map((name) => {
    const { svg, height } = panel(
      name,
      results.filter((it) => it.case === name),
      y,
    )
    y += height
    return svg
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 20}" viewBox="0 0 ${width} ${y + 20}" font-family="system-ui, sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(24, 34, title, 'font-size="17" font-weight="600"')}
${text(24, 54, 'longer bars are better, except for milliseconds; the thin line spans the slowest to the fastest round', 'font-size="12" fill="#4b5563"')}
${panels.join('\n')}
</svg>
`
}

function panel(name, results, top) {
  const timed = results.every(({ perSecond }) => perSecond === null)
  const value = (it) => (timed ? it.p50 : it.perSecond) ?? 0
  const most = Math.max(
    ...results.map((it) => Math.max(value(it), timed ? 0 : (it.spread?.[1] ?? 0))),
    Number.MIN_VALUE,
  )
  const scale = (amount) => Math.max(1, (barWidth * amount) / most)
  const rows = results.map((it, index) => {
    const y = top + 26 + index * barHeight
    const length = scale(value(it))
    const bar = `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 7}" rx="2" fill="${colours[it.system] ?? peer}"/>`
    const line = it.spread && it.spread[0] !== it.spread[1] ? whisker(scale(it.spread[0]), scale(it.spread[1]), y) : ''
    const end = labelWidth + Math.max(length, it.spread ? scale(it.spread[1]) : 0) + 8
    return [
      text(labelWidth - 10, y + 12, it.system, 'font-size="12" text-anchor="end"'),
      bar,
      line,
      text(end, y + 12, label(it, timed), 'font-size="12"'),
    ].join('')
  })
  const heading = text(
    24,
    top + 14,
    `${name}${timed ? ' (ms, p50 and p99)' : ' (per second)'}`,
    'font-size="13" font-weight="600"',
  )
  return { svg: heading + rows.join('\n'), height: 26 + results.length * barHeight + 18 }
}

function whisker(from, to, y) {
  const middle = y + (barHeight - 7) / 2
  return `<line x1="${(labelWidth + from).toFixed(1)}" x2="${(labelWidth + to).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#111827" stroke-width="1.5"/>`
}

function label({ perSecond, p50, p99, n }, timed) {
  if (timed) return `${p50} / ${p99}`
  return `${(perSecond ?? 0).toLocaleString('en-US')}${n < 10_000 ? ` (n = ${n.toLocaleString('en-US')})` : ''}`
}

const text = (x, y, content, attributes) =>
  `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped(content)}</text>`
const escaped = (content) =>
  content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign)
