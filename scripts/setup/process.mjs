/** Child processes, none of which outlives this one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a command that failed had to say. */
export class CommandError extends Error {
  /** @param {string} problem @param {string} output */
  constructor(problem, output) {
    super(problem)
    this.output = output
  }
}

/**
 * Ways to end the processes under way. @type {Map<import('node:child_process').ChildProcess, (signal: NodeJS.Signals) => void>}
 */
const running = new Map()

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean, timeLimit?: number }} [options]
 *   `env` goes over this process's variables, a value of `undefined` removes one; `timeLimit` is in milliseconds.
 * @returns {Promise<string>} What it printed, both streams in order.
 * @throws {CommandError} When it ends with another code than 0, or not in time.
 */
export function run(program, parameters, { cwd, env, shell = false, timeLimit } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a signal reaches what it started in turn.
      detached: process.platform !== 'win32',
    })
    running.set(child, (signal) => endGroup(child, signal))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    let late = false
    const timer =
      timeLimit &&
      setTimeout(() => {
        late = true
        endGroup(child, 'SIGKILL')
      }, timeLimit)
    const settle = (end) => {
      clearTimeout(timer)
      running.delete(child)
      const command = [program, ...parameters].join(' ')
      if (late) reject(new CommandError(`${command} still ran after ${timeLimit} ms`, output))
      else if (end === 0) resolve(output)
      else reject(new CommandError(`${command} ended with ${end}`, output))
    }
    child.on('error', (error) => settle(error.message))
    child.on('close', (code, signal) => settle(signal ?? code))
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
    running.set(child, (signal) => child.kill(signal))
    child.on('error', reject)
    child.on('close', (code) => {
      running.delete(child)
      resolve(code ?? 1)
    })
  })
}

/**
 * Starts a program that runs until it is ended, such as a server. What it prints goes to a file: a pipe would break
 * under it when this process is killed.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function start(program, parameters, { cwd, env } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'symphony-output-'))
  const file = join(folder, 'output.log')
  const out = openSync(file, 'a')
  const child = spawn(program, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', out, out],
    detached: process.platform !== 'win32',
  })
  closeSync(out)
  running.set(child, (signal) => endGroup(child, signal))
  let last = ''
  const ended = new Promise((resolve) => {
    child.on('error', resolve)
    child.on('close', resolve)
  }).then(() => {
    running.delete(child)
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
      endGroup(child, signal)
      const late = setTimeout(() => endGroup(child, 'SIGKILL'), patience)
      await ended
      clearTimeout(late)
    },
  }
}

/** How long processes may take to end after a signal, in milliseconds. */
const patience = 10_000

/** Ends all processes under way. @param {NodeJS.Signals} signal */
export async function endAll(signal) {
  await Promise.all(
    [...running].map(async ([child, end]) => {
      const ended = once(child, 'close')
      end(signal)
      const late = setTimeout(() => end('SIGKILL'), patience)
      await ended
      clearTimeout(late)
    }),
  )
}

function endGroup(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (process.platform === 'win32') child.kill(signal)
  else process.kill(-child.pid, signal)
}
