/** The benchmark still runs, and finds what it counts. Its figures mean nothing here, and nobody looks at them. */
import { expect, test } from 'vitest'
import { cases } from '../../bench/cases/index.mjs'
import { readOptions } from '../../bench/options.mjs'
import { bench } from '../../bench/run.mjs'
import { ensureFloor } from '../../scripts/setup/floor.mjs'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()
/** `npm test` has built one. */
const floor = process.env.SYMPHONY_TEST_FLOOR ?? (await ensureFloor('debug'))

/** Runs one case with Symphony and its floor, and answers with what was printed and measured. */
async function run(name: string) {
  const options = readOptions(['--only', name, '--no-peers', '--rounds', '1', '--no-sweep', '--scale', '0.002'])
  const said: string[] = []
  const given = { url: database.directUrl, floor, options, say: (line: string) => said.push(line) }
  const { code, results } = await bench(given)
  return { code, results, said: said.join('\n') }
}

test.for(cases.map(({ name }) => name))('%s', { timeout: 120_000 }, async (name) => {
  const { code, results, said } = await run(name)
  expect(code, said).toBe(0)
  expect(results.map(({ system }) => system.split('-')[0])).toContain('symphony')
  for (const { n, perSecond, p50 } of results) {
    expect(n).toBeGreaterThan(0)
    expect(perSecond ?? p50).toBeGreaterThan(0)
  }
  expect(said).toContain('symphony')
})

test('nothing is left in the database', async () => {
  const rows = await database.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench%'`)
  expect(rows).toEqual([])
})
