/**
 * A real PgBouncer in front of a server, as strict as poolers get: transaction mode, no prepared statements kept, two
 * server connections per database.
 *
 * It listens on port 6543 of a loopback address of its own, so that its URL is what a Supabase user has: the port
 * alone says that a transaction pooler answers.
 */
import { loadExeca } from '../setup/execa.mjs'
import { launch } from './launch.mjs'
import { settings, users } from './pgbouncer-settings.mjs'
import { accepts, atFreePlace } from './ports.mjs'
import { findProgram } from './program.mjs'
import { supervise } from './supervise.mjs'

/** Supabase's transaction pooler listens here too. */
const port = 6543

/**
 * @typedef {object} Pgbouncer
 * @property {string} url The server's URL, through the pooler.
 * @property {() => Promise<void>} stop Ends it and deletes its folder.
 */

/**
 * Starts a PgBouncer, and installs Debian's package first where it is missing and that is permitted.
 *
 * @param {string} serverUrl URL of the server behind it, with the user that everyone uses.
 * @param {Record<string, string>} [own] Settings on top, as `pgbouncer.ini` has them.
 * @returns {Promise<Pgbouncer | { missing: string }>} `missing`: why there is none.
 */
export async function startPgbouncer(serverUrl, own = {}) {
  const program = await findProgram('pgbouncer', 'pgbouncer')
  if ('missing' in program) return program
  const { told, stop } = await supervise(import.meta.url, { program: program.path, serverUrl, own })
  return { url: told.url, stop }
}

/** @param {import('./folder.mjs').Folder} folder @returns {import('./supervise.mjs').Server} */
export function createServer(folder) {
  /** @type {import('./launch.mjs').Launched | undefined} */
  let pooler

  async function start({ program, serverUrl, own }) {
    const server = new URL(serverUrl)
    const execa = await loadExeca()
    const { stdout } = await execa(program, ['--version'])
    const version = (/PgBouncer (\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number)
    folder.write('users', users(server))
    return atFreePlace(ownAddress, async (host) => {
      const text = settings({ server, address: host, port, folder: folder.path, version, own })
      const isReady = () => accepts({ host, port })
      pooler = await launch(folder, program, [folder.write('ini', text)], { name: 'PgBouncer', isReady })
      return { url: Object.assign(server, { hostname: host, port: String(port) }).href }
    })
  }

  // SIGTERM: at once, with clients connected.
  return { start, stop: async () => pooler?.end('SIGTERM') }
}

/** All of 127.0.0.0/8 is this machine, at least on Linux: so port 6543 is there for every PgBouncer. */
function ownAddress() {
  const part = () => 1 + Math.floor(Math.random() * 254)
  return process.platform === 'linux' ? `127.${part()}.${part()}.${part()}` : '127.0.0.1'
}
