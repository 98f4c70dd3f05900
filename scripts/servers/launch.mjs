/** The programs of a server: they run in its folder, as its account, and what they print goes to the log there. */
import { closeSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadExeca } from '../setup/execa.mjs'

/** How long a server may take to be ready, in milliseconds. */
const startTimeout = 30_000
/** How long it may take to end after a signal, in milliseconds; then comes SIGKILL. */
const stopTimeout = 10_000

/** @typedef {{ end: (signal: NodeJS.Signals) => Promise<void> }} Launched `end` does nothing when it has ended. */

/**
 * Runs a program to its end.
 *
 * @param {import('./folder.mjs').Folder} folder
 * @param {string} program
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} [env] Over this process's variables.
 * @throws {Error} With the end of the log, when it fails.
 */
export async function runIn(folder, program, parameters, env) {
  const { failed, signal, exitCode } = await spawn(await loadExeca(), folder, program, parameters, env)
  if (failed) throw new Error(`${basename(program)} failed (${signal ?? exitCode})\n${folder.log()}`)
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param {import('./folder.mjs').Folder} folder
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ name: string, env?: NodeJS.ProcessEnv, isReady: (pid: number) => Promise<boolean> | boolean }} how
 * @returns {Promise<Launched>}
 * @throws {Error} With the end of its log, when it ends or is not ready in time.
 */
export async function launch(folder, program, parameters, { name, env, isReady }) {
  const child = spawn(await loadExeca(), folder, program, parameters, env)
  const deadline = Date.now() + startTimeout
  while (!(await isReady(Number(child.pid)))) {
    const ended = await Promise.race([child, sleep(5)])
    if (ended) throw new Error(`${name} ended at its start (${ended.signal ?? ended.exitCode})\n${folder.log()}`)
    if (Date.now() < deadline) continue
    await end('SIGKILL')
    throw new Error(`${name} was not ready in ${startTimeout} ms\n${folder.log()}`)
  }
  return { end }

  /** @param {NodeJS.Signals} signal */
  async function end(signal) {
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeout)
    await child
    clearTimeout(late)
  }
}

function spawn(execa, folder, program, parameters, env) {
  // No pipe: on Windows a server inherits it from what starts it, and keeps it open.
  const log = openSync(folder.logFile, 'a')
  const how = { cwd: folder.path, env, ...folder.account, reject: false }
  const child = execa(program, parameters, { ...how, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}
