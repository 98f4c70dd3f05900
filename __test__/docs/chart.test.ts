import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { drawChart } from '../../scripts/chart.mjs'
import { at } from '../../scripts/setup/paths.mjs'
import { readDocument } from './documents.js'

test('the chart shows the figures of the performance guide (if not: node scripts/chart.mjs)', () => {
  expect(readFileSync(at('docs/benchmark.svg'), 'utf8')).toBe(drawChart(readDocument('docs/performance-tuning.md')))
})
