/** The example's server, as a process of its own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../servers/ports.mjs'
import { runNode, start } from '../setup/process.mjs'
import { example, inExample } from './paths.mjs'

/** How long a server may take to answer for the first time, in milliseconds. */
const patience = 60_000

/** Makes the tables: the application's and Symphony's. @param {NodeJS.ProcessEnv} env */
export function makeTables(env) {
  return runNode(inExample('scripts', 'migrate.mjs'), [], { cwd: example, env })
}

/** Secrets for one run. */
export function newSecrets() {
  return { CRON_SECRET: randomBytes(24).toString('hex'), OPERATOR_TOKEN: randomBytes(24).toString('hex') }
}

/**
 * @typedef {object} Running
 * @property {string} url
 * @property {() => string} output What it has printed.
 * @property {() => Promise<void>} stop SIGTERM, and after a while SIGKILL.
 * @property {() => Promise<void>} kill SIGKILL.
 */

/**
 * Starts the server and waits until it answers.
 *
 * @param {{ env: NodeJS.ProcessEnv, mode?: 'start' | 'dev', port?: number, program?: string, home?: string }} options
 *   `program` instead of `next start`: the server of a standalone build; `home`: another application than the example.
 * @returns {Promise<Running>}
 * @throws {Error} With what it printed, when it does not answer in time.
 */
export async function startServer({ env, mode = 'start', port, program, home = example }) {
  const chosen = port ?? (await freePort())
  const url = `http://127.0.0.1:${chosen}`
  const variables = {
    ...env,
    NEXT_TELEMETRY_DISABLED: '1',
    PORT: String(chosen),
    HOSTNAME: '127.0.0.1',
    NODE_ENV: undefined,
    // Reaches the processes that Next.js starts in turn as well.
    NODE_OPTIONS: `--import=${new URL('./end-with-parent.mjs', import.meta.url).href}`,
  }
  const next = join(home, 'node_modules', 'next', 'dist', 'bin', 'next')
  const parameters = program ? [program] : [next, mode, '--port', String(chosen), '--hostname', '127.0.0.1']
  const cwd = program ? undefined : home
  const server = await start(process.execPath, parameters, { cwd, env: variables })
  await Promise.race([answers(url), server.ended]).catch(() => undefined)
  if (server.isRunning() && (await answersNow(url))) {
    return { url, output: server.output, stop: () => server.end('SIGTERM'), kill: () => server.end('SIGKILL') }
  }
  await server.end('SIGKILL')
  throw new Error(`the server did not answer within ${patience / 1_000} s; it said:\n${server.output()}`)
}

async function answers(url) {
  const late = Date.now() + patience
  while (Date.now() < late && !(await answersNow(url))) await sleep(100)
}

/** Any answer will do; this route has no page behind it that would have to be compiled. */
function answersNow(url) {
  return fetch(`${url}/api/cron/symphony-worker`, { signal: AbortSignal.timeout(patience) }).then(
    (response) => response.status === 401,
    () => false,
  )
}
