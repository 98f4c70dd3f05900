/** A progress bar on a terminal, one plain line per second otherwise. */
import { bold, cyan, dim, number, yellow } from './style.mjs'

const width = 32
const isTerminal = process.stdout.isTTY === true

/**
 * Shows the progress until the returned function is called.
 *
 * @param {import('./ledger.mjs').Ledger} ledger
 * @param {number} total
 * @returns {() => void}
 */
export function showProgress(ledger, total) {
  const draw = isTerminal ? drawBar : printLine
  const timer = setInterval(() => draw(ledger, total), isTerminal ? 80 : 1000)
  return () => {
    clearInterval(timer)
    draw(ledger, total)
    if (isTerminal) process.stdout.write('\n')
  }
}

function drawBar(ledger, total) {
  const handled = ledger.succeeded.size
  const share = Math.min(1, (handled + ledger.deadLettered) / total)
  const full = Math.floor(share * width)
  const bar = cyan('━'.repeat(full)) + dim('─'.repeat(width - full))
  const time = dim(`${ledger.seconds.toFixed(1)} s`)
  const counts = `${bold(number(handled))} handled  ${yellow(number(ledger.failedRuns))} failed runs  ${time}`
  process.stdout.write(`\r\u001b[K${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${counts}`)
}

function printLine(ledger, total) {
  const handled = number(ledger.succeeded.size)
  console.log(
    `${handled} of ${number(total)} handled, ${number(ledger.failedRuns)} failed runs, ${ledger.seconds.toFixed(1)} s`,
  )
}
