/**
 * A real Postgres in a temporary folder: no service, no container, no rights needed.
 *
 * The server belongs to a supervisor process (`postgres/supervisor.mjs`), which ends it and deletes its folder as
 * soon as this process is gone, however it went.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ownServer = 'Set SYMPHONY_DATABASE_URL to use a server of your own instead of the embedded Postgres.'
const supervisorFile = fileURLToPath(new URL('./postgres/supervisor.mjs', import.meta.url))

/**
 * @typedef {object} Postgres
 * @property {string} url URL of the superuser, with its password, to the database `postgres`.
 * @property {number} port Port on 127.0.0.1; a restart keeps it.
 * @property {string} dataDir The server's data directory.
 * @property {() => Promise<void>} stop Ends the server and deletes its folder.
 * @property {() => Promise<void>} restart Fast shutdown (when it runs), then start on the same port with the same data.
 * @property {(mode: 'immediate') => Promise<void>} kill As after a power cut: no checkpoint, all connections drop.
 */

/**
 * Starts a server; ready in about a second.
 *
 * @param {{ settings?: Record<string, string>, inMemory?: boolean }} [options] `settings` go to the server as
 *   `-c name=value`; `inMemory` puts its files on a memory disk where there is one.
 * @returns {Promise<Postgres>}
 * @throws {Error} With the server's own words when it does not start.
 */
export async function startPostgres({ settings = {}, inMemory = false } = {}) {
  // Detached: a Ctrl-C in the terminal is meant for this process; the supervisor stays to clean up.
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const supervisor = fork(supervisorFile, inMemory ? ['--in-memory'] : [], { detached: true, execArgv: [], stdio })
  /** @type {(command: object) => Promise<any>} */
  const ask = async (command) => {
    supervisor.ref()
    supervisor.channel?.ref()
    supervisor.send(command)
    const ended = once(supervisor, 'exit').then(() => ({ error: 'the supervisor of the embedded Postgres ended' }))
    const answer = await Promise.race([once(supervisor, 'message').then(([message]) => message), ended])
    supervisor.unref()
    supervisor.channel?.unref()
    if (answer.error) throw new Error(answer.error)
    return answer
  }

  const { port, password, dataDir } = await ask({ do: 'start', settings }).catch((error) => {
    supervisor.disconnect()
    throw new Error(`${error.message}\n${ownServer}`)
  })
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    dataDir,
    restart: () => ask({ do: 'restart' }),
    kill: (mode) => ask({ do: 'kill', mode }),
    stop: async () => {
      if (supervisor.exitCode !== null || supervisor.signalCode !== null) return
      supervisor.ref()
      const ended = once(supervisor, 'exit')
      if (supervisor.connected) supervisor.disconnect()
      await ended
    },
  }
}

/**
 * Starts a server for tests: fast, with no crash to fear.
 *
 * @param {Record<string, string>} [own] Settings on top.
 */
export function startTestPostgres(own = {}) {
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '200', max_wal_size: '512MB', ...own }
  return startPostgres({ settings, inMemory: true })
}
