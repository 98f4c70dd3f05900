import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { cargoCounts, total } from '../../scripts/test/counts.mjs'
import { readLcov, table } from '../../scripts/test/coverage.mjs'

test('the closing lines of all test programs add up', () => {
  const output = `
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`
  expect(cargoCounts(output)).toEqual({ passed: 15, failed: 2, skipped: 1 })
  expect(cargoCounts('error: could not compile')).toEqual({ passed: 0, failed: 0, skipped: 0 })
  expect(total([cargoCounts(output), { passed: 1, failed: 1, skipped: 1 }])).toEqual({
    passed: 16,
    failed: 3,
    skipped: 2,
  })
})

test('a coverage report names the lines that never ran', () => {
  const lcov = `SF:${at('src', 'retry.rs')}\nDA:3,1\nDA:4,0\nDA:5,0\nDA:9,0\nLF:4\nLH:1\nend_of_record\n`
  const [file] = readLcov(lcov)
  expect(file).toMatchObject({ covered: 1, total: 4, missing: [4, 5, 9] })
  expect(table(readLcov(lcov))).toMatch(/^ {2}25\.0 % +1\/4 +src.retry\.rs +4-5, 9\n$/)
})
