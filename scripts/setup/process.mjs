/**
 * Child processes, none of which outlives this one. Each leads a group of its own, so that a signal reaches what it
 * started in turn: execa ends only the process itself.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { constants, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadExeca } from './execa.mjs'

/** @typedef {import('execa').ResultPromise} Child */

const grouped = process.platform !== 'win32'

/** How long processes may take to end after a signal, in milliseconds. */
const patience = 10_000

/** @type {Set<Child>} */
const running = new Set()

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean, timeLimit?: number, background?: boolean }} [options]
 *   `env` goes over this process's variables, a value of `undefined` removes one; `timeLimit` is in milliseconds; what
 *   runs in the `background` gives way to everything else.
 * @returns {Promise<string>} What it printed, both streams in order.
 * @throws {import('execa').ExecaError} When it ends with another code than 0, or not in time; see `outputOf`.
 */
export async function run(program, parameters, { timeLimit, background, ...options } = {}) {
  const execa = await loadExeca()
  const how = { ...options, detached: grouped, timeout: timeLimit, stripFinalNewline: false }
  const child = track(execa(program, parameters, { ...how, stdin: 'ignore', all: true }))
  if (background) giveWay(child)
  // After the timer of execa's own: what the program started holds its pipes open, and execa waits for them.
  const late = timeLimit && setTimeout(() => signalGroup(child, 'SIGKILL'), timeLimit)
  try {
    return (await child).all
  } finally {
    clearTimeout(late)
  }
}

/** What a command that failed had printed; nothing for any other error. @returns {string | undefined} */
export const outputOf = (error) => error?.all

/**
 * Runs a JavaScript program of an installed package.
 *
 * @param {string} file Path of the program inside `node_modules`.
 * @param {string[]} parameters
 * @param {Parameters<typeof run>[2]} [options]
 */
export function runNode(file, parameters, options) {
  return run(process.execPath, [file, ...parameters], options)
}

/**
 * Runs a program that speaks to the terminal itself.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} Its exit code.
 */
export async function show(program, parameters, options = {}) {
  const execa = await loadExeca()
  const how = { ...options, detached: grouped, reject: false }
  const { exitCode = 1 } = await track(execa(program, parameters, { ...how, stdio: 'inherit' }))
  return exitCode
}

/**
 * Starts a program that runs until it is ended, such as a server. What it prints goes to a file: a pipe would break
 * under it when this process is killed.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function start(program, parameters, options = {}) {
  const execa = await loadExeca()
  const folder = mkdtempSync(join(tmpdir(), 'symphony-output-'))
  const file = join(folder, 'output.log')
  const out = openSync(file, 'a')
  // Its typings know no descriptors there.
  const stdio = /** @type {any} */ (['ignore', out, out])
  /** @type {import('execa').Options} */
  const how = { ...options, detached: grouped, reject: false, stdio }
  const child = track(execa(program, parameters, how))
  closeSync(out)
  let last = ''
  const ended = child.then(() => {
    last = readFileSync(file, 'utf8')
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    /** What it has printed, both streams in order. */
    output: () => (running.has(child) ? readFileSync(file, 'utf8') : last),
    isRunning: () => running.has(child),
    /** Resolves when it has ended, however. */
    ended,
    /** Ends it and what it started. @param {NodeJS.Signals} signal */
    end: async (signal) => {
      await end(child, signal)
      await ended
    },
  }
}

/** Ends all processes under way. @param {NodeJS.Signals} signal */
export async function endAll(signal) {
  await Promise.all([...running].map((child) => end(child, signal)))
}

/** @template {Child} T @param {T} child @returns {T} */
function track(child) {
  running.add(child)
  const gone = () => running.delete(child)
  child.then(gone, gone)
  return child
}

/** @param {Child} child */
function giveWay(child) {
  try {
    setPriority(Number(child.pid), constants.priority.PRIORITY_LOW)
  } catch {
    // It never ran, or has ended.
  }
}

/** @param {Child} child @param {NodeJS.Signals} signal */
async function end(child, signal) {
  if (!running.has(child)) return
  signalGroup(child, signal)
  const late = setTimeout(() => signalGroup(child, 'SIGKILL'), patience)
  await child.catch(() => {})
  clearTimeout(late)
}

/** @param {Child} child @param {NodeJS.Signals} signal */
function signalGroup(child, signal) {
  try {
    if (grouped) process.kill(-Number(child.pid), signal)
    else child.kill(signal)
  } catch {
    // Nobody of it is left.
  }
}
