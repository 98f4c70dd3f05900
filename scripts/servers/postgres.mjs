/** A real Postgres: the one that npm installs, with its data in a temporary folder. */
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { launch, runIn } from './launch.mjs'
import { atFreePlace, freePort } from './ports.mjs'
import { findBinaries } from './postgres-binaries.mjs'
import { supervise } from './supervise.mjs'

const ownServer = 'Set SYMPHONY_DATABASE_URL to use a server of your own instead of the embedded Postgres.'
const windows = process.platform === 'win32'

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
  const server = await supervise(import.meta.url, { settings }, { inMemory }).catch((error) => {
    throw new Error(`${error.message}\n${ownServer}`)
  })
  const { port, password, dataDir } = server.told
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    dataDir,
    restart: () => server.ask('restart'),
    kill: (mode) => server.ask('kill', { mode }),
    stop: server.stop,
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

/** @param {import('./folder.mjs').Folder} folder @returns {import('./supervise.mjs').Server} */
export function createServer(folder) {
  const dataDir = folder.at('data')
  const password = randomBytes(18).toString('base64url')
  /** A neutral locale and time zone make every machine's server the same, and initdb fast. */
  const env = { LC_ALL: 'C', TZ: 'UTC', PGTZ: 'UTC' }
  /** @type {string} */ let binaries
  /** @type {string[]} */ let parameters
  /** @type {import('./launch.mjs').Launched | undefined} */ let postmaster

  async function start({ settings }) {
    binaries = findBinaries(folder)
    await initialise()
    const own = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return atFreePlace(
      () => freePort(),
      async (port) => {
        const network = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=']
        parameters = [...network, ...own]
        await begin()
        return { port, password, dataDir }
      },
    )
  }

  async function initialise() {
    const passwordFile = folder.write('password', password)
    const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    // Nobody guesses a random password, and at 4,096 rounds an unoptimised client takes 0.1 s to connect.
    const cheapLogin = ['--set=scram_iterations=1']
    const others = ['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions']
    await run('initdb', [`--pgdata=${dataDir}`, ...access, ...cheapLogin, ...others])
    rmSync(passwordFile)
  }

  async function begin() {
    // As an administrator of Windows only pg_ctl may start a server: it drops the rights first.
    if (windows) {
      const words = parameters.map((word) => `"${word}"`).join(' ')
      await run('pg_ctl', ['start', '--wait', `--pgdata=${dataDir}`, `--log=${folder.logFile}`, `--options=${words}`])
      return
    }
    const how = { name: 'the embedded Postgres', env, isReady }
    postmaster = await launch(folder, program('postgres'), ['-D', dataDir, ...parameters], how)
  }

  /** The eighth line of the server's lock file tells its state; a file of a killed server names another process. */
  function isReady(pid) {
    try {
      const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
      return Number(lines[0]) === pid && (lines[7] ?? '').startsWith('ready')
    } catch {
      return false
    }
  }

  /** @param {'fast' | 'immediate'} mode */
  async function halt(mode) {
    if (windows) await run('pg_ctl', ['stop', '--wait', `--pgdata=${dataDir}`, `--mode=${mode}`]).catch(() => {})
    else await postmaster?.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  }

  const program = (/** @type {string} */ name) => join(binaries, 'bin', windows ? `${name}.exe` : name)
  const run = (/** @type {string} */ name, /** @type {string[]} */ words) => runIn(folder, program(name), words, env)

  const restart = async () => {
    await halt('fast')
    await begin()
  }
  return { start, stop: () => halt('immediate'), commands: { restart, kill: ({ mode }) => halt(mode) } }
}
