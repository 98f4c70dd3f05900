/** How many tests passed, failed and were skipped. */
import { existsSync, readFileSync } from 'node:fs'

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/** @returns {Counts} */
export const none = () => ({ passed: 0, failed: 0, skipped: 0 })

/** @param {Counts[]} all @returns {Counts} */
export function total(all) {
  return all.reduce(
    (sum, one) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
    }),
    none(),
  )
}

/**
 * Adds up the closing lines of `cargo test`, one per test program.
 *
 * @param {string} output
 * @returns {Counts}
 */
export function cargoCounts(output) {
  const lines = output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)
  return total([...lines].map(([, passed, failed, skipped]) => counts(passed, failed, skipped)))
}

/**
 * Reads vitest's JSON report.
 *
 * @param {string} file
 * @returns {Counts}
 */
export function vitestCounts(file) {
  if (!existsSync(file)) return none()
  const report = JSON.parse(readFileSync(file, 'utf8'))
  return counts(report.numPassedTests, report.numFailedTests, report.numPendingTests + report.numTodoTests)
}

function counts(passed, failed, skipped) {
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}
