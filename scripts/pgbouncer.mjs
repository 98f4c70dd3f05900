/**
 * A real PgBouncer in front of a server, as strict as poolers get: transaction mode, no prepared statements kept, two
 * server connections per database.
 *
 * It listens on port 6543 of a loopback address of its own, so that its URL is what a Supabase user has: the port
 * alone says that a transaction pooler answers. Like the embedded Postgres it belongs to a supervisor process and ends
 * with the process that started it.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { findPgbouncer } from './pgbouncer/program.mjs'

const supervisorFile = fileURLToPath(new URL('./pgbouncer/supervisor.mjs', import.meta.url))

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
  const program = await findPgbouncer()
  if ('missing' in program) return program
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const supervisor = fork(supervisorFile, [program.path], { detached: true, execArgv: [], stdio })
  supervisor.send({ serverUrl, own })
  const ended = once(supervisor, 'exit').then(() => [{ error: 'the supervisor of PgBouncer ended' }])
  const [answer] = await Promise.race([once(supervisor, 'message'), ended])
  if (answer.error) {
    if (supervisor.connected) supervisor.disconnect()
    throw new Error(answer.error)
  }
  supervisor.unref()
  supervisor.channel?.unref()
  return {
    url: answer.url,
    stop: async () => {
      if (supervisor.exitCode !== null || supervisor.signalCode !== null) return
      supervisor.ref()
      const gone = once(supervisor, 'exit')
      if (supervisor.connected) supervisor.disconnect()
      await gone
    },
  }
}
