/** One line per step, with its time; the output of a step is shown only when it fails. */
import { cleanUp, endOnSignals, isEnding } from './ending.mjs'
import { outputOf } from './process.mjs'

const live = process.stdout.isTTY === true && !process.env.CI
const colour = live && !process.env.NO_COLOR
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)

export const green = paint(32)
export const red = paint(31)
export const dim = paint(2)
export const bold = paint(1)

/**
 * Runs a step and prints its line. Steps may run side by side.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @throws What the work throws, after its output has been printed.
 */
export async function step(name, work) {
  const begin = performance.now()
  running.add(name)
  showRunning()
  try {
    const result = await work()
    finish(name, green('✓'), begin)
    return result
  } catch (error) {
    if (isEnding()) throw error
    finish(name, red('✗'), begin)
    const output = outputOf(error)
    if (output !== undefined) console.log(`\n${output.trimEnd()}\n`)
    throw error
  }
}

/** @type {Set<string>} */
const running = new Set()

function finish(name, mark, begin) {
  running.delete(name)
  clearLine()
  console.log(`${mark} ${name.padEnd(44)} ${dim(seconds(performance.now() - begin))}`)
  showRunning()
}

function showRunning() {
  if (live && running.size > 0) process.stdout.write(`\r\u001b[K${dim(`… ${[...running].join(', ')}`)}`)
}

function clearLine() {
  if (live) process.stdout.write('\r\u001b[K')
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`.padStart(8)
}

/**
 * The frame of every command: clean-up at the end, a short message instead of a stack, an exit code.
 *
 * @param {() => Promise<number | void>} work Its number is the exit code.
 */
export async function main(work) {
  endOnSignals()
  let code = 1
  try {
    code = (await work()) ?? 0
  } catch (error) {
    // After a signal the children fail because they were ended; that need not be said.
    if (isEnding()) return
    console.error(red(outputOf(error) === undefined ? (error.stack ?? String(error)) : error.shortMessage))
  }
  if (isEnding()) return
  await cleanUp()
  process.exit(code)
}
