/**
 * The command line of `npm run bench`.
 *
 * @typedef {object} Options
 * @property {string[] | undefined} only Cases.
 * @property {string[] | undefined} systems
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} sweep Messages per candidate; 0: no sweep.
 * @property {number} scale What the message counts are multiplied with.
 * @property {boolean} peers Whether to measure anything but Symphony and its floor.
 * @property {string | undefined} json File for the figures.
 * @property {string | undefined} chart File for the chart.
 * @property {boolean} failed Set when a measurement was void.
 */
import { parseArgs } from 'node:util'

export const usage = `npm run bench -- [options]
  --quick            under four minutes: a tenth of the messages, one round, no sweep
  --only CASE,…      only these cases
  --systems NAME,…   only these systems
  --rounds N         rounds a case (3)
  --scale N          multiplies the message counts
  --no-sweep         the first configuration of each system
  --no-peers         Symphony and its floor only; installs nothing
  --json FILE        the figures as JSON
  --chart FILE       the chart as SVG (target/bench/results.svg)`

/**
 * @param {string[]} words
 * @returns {Options}
 */
export function readOptions(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      systems: { type: 'string' },
      rounds: { type: 'string' },
      scale: { type: 'string' },
      'no-sweep': { type: 'boolean' },
      'no-peers': { type: 'boolean' },
      json: { type: 'string' },
      chart: { type: 'string' },
    },
  })
  const { quick = false } = values
  const list = (text) => text?.split(',').map((it) => it.trim())
  return {
    only: list(values.only),
    systems: list(values.systems),
    quick,
    rounds: number(values.rounds, quick ? 1 : 3, '--rounds'),
    sweep: quick || values['no-sweep'] ? 0 : 20_000,
    scale: number(values.scale, quick ? 0.1 : 1, '--scale'),
    peers: !values['no-peers'],
    json: values.json,
    chart: values.chart,
    failed: false,
  }
}

function number(text, otherwise, name) {
  const value = Number(text ?? otherwise)
  if (value > 0) return value
  throw new Error(`${name}: got ${text}, wants a number above 0`)
}
