/** Measures; `npm run bench` has prepared everything and started this file. */
import { writeFileSync } from 'node:fs'
import { cases, floorCases } from './cases/index.mjs'
import { chart } from './harness/chart.mjs'
import { openContext } from './harness/context.mjs'
import { addRatios } from './harness/ratios.mjs'
import { table } from './harness/table.mjs'

/**
 * @typedef {object} Given
 * @property {string} url Of the database.
 * @property {string} [dataDir] Of its server, where it is on this machine.
 * @property {string} floor The program in `raw/`.
 * @property {import('./options.mjs').Options} options
 * @property {(line: string) => void} [say] Takes what is printed.
 *
 * @param {Given} given
 * @returns {Promise<{ code: number, results: import('./harness/compare.mjs').Measurement[] }>}
 */
export async function bench(given) {
  const { options } = given
  const wanted = options.only ? cases.filter(({ name }) => options.only?.includes(name)) : cases
  if (wanted.length < (options.only?.length ?? 1))
    throw new Error(`--only wants ${cases.map(({ name }) => name).join(', ')}`)
  const context = await openContext(given)
  try {
    const where = await machine(context)
    context.say(where)
    for (const { name, run } of wanted) {
      const begin = performance.now()
      await run(context)
      addRatios(context.results, floorCases)
      context.say(table(context.results.filter((it) => it.case.startsWith(name))))
      context.say(`\n${name} took ${((performance.now() - begin) / 1000).toFixed(0)} s`)
      // After each case: a run that is interrupted has told what it knows.
      if (options.json) writeFileSync(options.json, `${JSON.stringify(context.results, null, 2)}\n`)
      if (options.chart) writeFileSync(options.chart, chart(context.results, where))
    }
  } finally {
    await context.close()
  }
  return { code: options.failed ? 1 : 0, results: context.results }
}

async function machine({ control }) {
  const { availableParallelism, cpus } = await import('node:os')
  const { rows } = await control.query(
    "SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS synchronous",
  )
  const [{ version, synchronous }] = rows
  return `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Postgres ${version}, synchronous_commit = ${synchronous}`
}
