/** One server: its folder, its start, its end. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createSocket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverAccount, temporaryRoot } from './account.mjs'
import { findBinaries } from './binaries.mjs'

const startTimeout = 30_000
const stopTimeout = 10_000
const windows = process.platform === 'win32'

/**
 * Prepares a folder; `start` fills it.
 *
 * @param {{ inMemory: boolean }} options
 */
export function createServer({ inMemory }) {
  const account = serverAccount()
  const folder = mkdtempSync(join(temporaryRoot(account, inMemory), 'symphony-postgres-'))
  if (account) chownSync(folder, account.uid, account.gid)
  const dataDir = join(folder, 'data')
  const logFile = join(folder, 'log')
  const password = randomBytes(18).toString('base64url')
  /** @type {string} */ let binaries
  /** @type {string[]} */ let parameters = []
  /** @type {import('node:child_process').ChildProcess | undefined} */ let postmaster
  let port = 0

  async function start(settings) {
    binaries = findBinaries(folder, account)
    await initialise()
    parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // Another process may take the port between the look and the start.
    for (let attempt = 1; ; attempt++) {
      port = await freePort()
      try {
        await launch()
        return { port, password, dataDir }
      } catch (error) {
        if (attempt === 5 || !/could not bind|address already in use/i.test(error.message)) throw error
      }
    }
  }

  async function initialise() {
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (account) chownSync(passwordFile, account.uid, account.gid)
    const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    // Nobody guesses a random password, and at 4,096 rounds an unoptimised client takes 0.1 s to connect.
    const cheapLogin = ['--set=scram_iterations=1']
    const others = ['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions']
    await run('initdb', [`--pgdata=${dataDir}`, ...access, ...cheapLogin, ...others])
    rmSync(passwordFile)
  }

  async function launch() {
    const network = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=']
    // As an administrator of Windows only pg_ctl may start a server: it drops the rights first.
    if (windows) {
      const words = [...network, ...parameters].map((word) => `"${word}"`).join(' ')
      await run('pg_ctl', ['start', '--wait', `--pgdata=${dataDir}`, `--log=${logFile}`, `--options=${words}`])
      return
    }
    postmaster = spawn(
      program('postgres'),
      ['-D', dataDir, ...network, ...parameters],
      options(['ignore', 'pipe', 'pipe']),
    )
    for (const stream of [postmaster.stdout, postmaster.stderr])
      stream?.on('data', (text) => appendFileSync(logFile, text))
    await Promise.race([ready(), failure(postmaster)])
  }

  async function ready() {
    const deadline = Date.now() + startTimeout
    while (!state().startsWith('ready')) {
      if (Date.now() > deadline) throw new Error(`the embedded Postgres was not ready in ${startTimeout} ms\n${log()}`)
      await sleep(5)
    }
  }

  /** The eighth line of the server's lock file tells its state; a file of a killed server names another process. */
  function state() {
    try {
      const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
      return Number(lines[0]) === postmaster?.pid ? (lines[7] ?? '') : ''
    } catch {
      return ''
    }
  }

  async function failure(child) {
    const [code, signal] = await once(child, 'close')
    if (child === postmaster) postmaster = undefined
    throw new Error(`the embedded Postgres ended at its start (${signal ?? code})\n${log()}`)
  }

  function log() {
    return existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n') : ''
  }

  /** @param {'fast' | 'immediate'} mode */
  async function halt(mode) {
    if (windows) {
      await run('pg_ctl', ['stop', '--wait', `--pgdata=${dataDir}`, `--mode=${mode}`]).catch(() => {})
      return
    }
    const child = postmaster
    if (!child) return
    postmaster = undefined
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeout)
    await ended
    clearTimeout(late)
  }

  async function destroy() {
    await halt('immediate')
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }

  async function restart() {
    await halt('fast')
    await launch()
  }

  function program(name) {
    return join(binaries, 'bin', windows ? `${name}.exe` : name)
  }

  /** A neutral locale and time zone make every machine's server the same, and initdb fast. */
  function options(stdio) {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC', PGTZ: 'UTC' }
    return { stdio, env, cwd: folder, windowsHide: true, ...account }
  }

  async function run(name, parameters) {
    const child = spawn(program(name), parameters, options(['ignore', 'pipe', 'pipe']))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text))
    // `exit`, not `close`: on Windows the server inherits the pipes of pg_ctl and keeps them open.
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${name} failed (${code})\n${output || log()}`)
  }

  return { start, restart, kill: halt, destroy }
}

async function freePort() {
  const socket = createSocket().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (socket.address())
  socket.close()
  await once(socket, 'close')
  return port
}
