/** Child processes that end with this one, and clean-up that runs however this process is asked to end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()
/** @type {Set<() => Promise<unknown> | void>} */
const cleanups = new Set()

/** What a command that failed had to say. */
export class CommandError extends Error {
  /** @param {string} command @param {number | string | null} code @param {string} output */
  constructor(command, code, output) {
    super(`${command} ended with ${code}`)
    this.output = output
  }
}

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean, onOutput?: (text: string) => void }} [options]
 *   `env` goes over this process's variables; a value of `undefined` removes one.
 * @returns {Promise<string>} What it printed, both streams in order.
 * @throws {CommandError} When it ends with another code than 0.
 */
export function run(program, parameters, { cwd, env, shell = false, onOutput } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        onOutput?.(text)
      })
    }
    child.on('error', (error) => reject(new CommandError(program, error.message, output)))
    child.on('close', (code, signal) => {
      children.delete(child)
      if (code === 0) resolve(output)
      else reject(new CommandError([program, ...parameters].join(' '), signal ?? code, output))
    })
  })
}

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
export function show(program, parameters, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' })
    children.add(child)
    child.on('error', reject)
    child.on('close', (code) => {
      children.delete(child)
      resolve(code ?? 1)
    })
  })
}

/**
 * Registers work for the end of this process.
 *
 * @param {() => Promise<unknown> | void} cleanup
 */
export function atEnd(cleanup) {
  cleanups.add(cleanup)
}

/** Runs the registered work now. */
export async function cleanUp() {
  const pending = [...cleanups]
  cleanups.clear()
  await Promise.allSettled(pending.map((cleanup) => cleanup()))
}

/** How long children may take to end after a signal, in milliseconds. */
const patience = 10_000

async function endChildren(signal) {
  await Promise.all(
    [...children].map(async (child) => {
      const ended = once(child, 'close')
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), patience)
      await ended
      clearTimeout(late)
    }),
  )
}

let ending = false

/** Whether a signal asked this process to end. */
export const isEnding = () => ending

for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.on(signal, async () => {
    if (ending) return
    ending = true
    await endChildren(signal)
    await cleanUp()
    process.exit(code)
  })
}
