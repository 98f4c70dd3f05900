/**
 * Real servers in temporary folders: no service, no container, no rights needed.
 *
 * Each belongs to a supervisor process (`supervisor.mjs`), which ends it and deletes its folder as soon as the process
 * that asked for it is gone, however it went. What is special to one kind of server is one file, which has
 *
 * - `startX()`, for those who want one: finds or installs the program, calls `supervise`, and tells what X is like;
 * - `createServer(folder)`, for the supervisor: starts the programs in that folder, on a free port, and ends them.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const supervisorFile = fileURLToPath(new URL('./supervisor.mjs', import.meta.url))

/**
 * What a kind of server implements, as `createServer(folder)`.
 *
 * @typedef {object} Server
 * @property {(options: any) => Promise<object>} start What it returns is told to those who asked.
 * @property {() => Promise<unknown>} stop At once, with clients connected.
 * @property {Record<string, (options: any) => Promise<unknown>>} [commands] What else can be asked of it.
 */

/**
 * @typedef {object} Supervised
 * @property {any} told What `start` returned.
 * @property {(command: string, options?: object) => Promise<any>} ask Runs one of its commands.
 * @property {() => Promise<void>} stop Ends it and deletes its folder.
 */

/**
 * Starts a server.
 *
 * @param {string} definition URL of the file that has its `createServer`.
 * @param {object} options For its `start`.
 * @param {{ inMemory?: boolean }} [where] `inMemory` puts its folder on a memory disk where there is one.
 * @returns {Promise<Supervised>}
 * @throws {Error} With the server's own words when it does not start.
 */
export async function supervise(definition, options, { inMemory = false } = {}) {
  // Detached: a Ctrl-C in the terminal is meant for this process; the supervisor stays to clean up.
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const parameters = [definition, ...(inMemory ? ['--in-memory'] : [])]
  const supervisor = fork(supervisorFile, parameters, { detached: true, execArgv: [], stdio })
  const gone = `the supervisor of ${basename(definition, '.mjs')} ended`

  /** @type {Supervised['ask']} */
  const ask = async (command, options = {}) => {
    supervisor.ref()
    supervisor.channel?.ref()
    supervisor.send({ command, options })
    const ended = once(supervisor, 'exit').then(() => [{ error: gone }])
    const [answer] = await Promise.race([once(supervisor, 'message'), ended])
    supervisor.unref()
    supervisor.channel?.unref()
    if (answer.error) throw new Error(answer.error)
    return answer
  }

  const stop = async () => {
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) return
    supervisor.ref()
    const ended = once(supervisor, 'exit')
    if (supervisor.connected) supervisor.disconnect()
    await ended
  }

  try {
    return { told: await ask('start', options), ask, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
