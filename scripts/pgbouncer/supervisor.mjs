/**
 * Owns one PgBouncer on behalf of its parent; when the channel to the parent closes, however that came, it ends and its
 * folder goes.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverAccount, temporaryRoot } from '../postgres/account.mjs'
import { run } from '../setup/process.mjs'
import { settings, users } from './settings.mjs'

/** Supabase's transaction pooler listens here too. */
const port = 6543
const patience = 10_000
const [, , program] = process.argv
// It refuses to run as root, and so does the server behind it.
const account = serverAccount()
const folder = mkdtempSync(join(temporaryRoot(account, false), 'symphony-pgbouncer-'))
/** @type {import('node:child_process').ChildProcess | undefined} */
let pooler

process.once('message', async (/** @type {any} */ { serverUrl, own }) => {
  try {
    answer({ url: await start(new URL(serverUrl), own) })
  } catch (error) {
    answer({ error: error.message })
  }
})
for (const event of ['disconnect', 'SIGINT', 'SIGTERM', 'SIGHUP']) process.once(event, end)

/** @param {URL} server @param {Record<string, string>} own */
async function start(server, own) {
  const [, ...version] = /PgBouncer (\d+)\.(\d+)/.exec(await run(program, ['--version'])) ?? []
  for (let attempt = 1; ; attempt++) {
    const address = ownAddress()
    file('users', users(server))
    const ini = file('ini', settings({ server, address, port, folder, version: version.map(Number), own }))
    try {
      await launch(ini, address)
      const url = new URL(server)
      url.hostname = address
      url.port = String(port)
      return url.href
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

/** All of 127.0.0.0/8 is this machine, at least on Linux: so port 6543 is there for every PgBouncer. */
function ownAddress() {
  const part = () => 1 + Math.floor(Math.random() * 254)
  return process.platform === 'linux' ? `127.${part()}.${part()}.${part()}` : '127.0.0.1'
}

/** @param {string} name @param {string} text */
function file(name, text) {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  if (account) {
    chownSync(folder, account.uid, account.gid)
    chownSync(path, account.uid, account.gid)
  }
  return path
}

/** @param {string} ini @param {string} address */
async function launch(ini, address) {
  const child = spawn(program, ['--quiet', ini], { stdio: 'ignore', cwd: folder, ...account })
  pooler = child
  const failed = once(child, 'exit').then(() => {
    throw new Error(`PgBouncer ended at its start\n${log()}`)
  })
  await Promise.race([ready(address), failed])
}

/** @param {string} address */
async function ready(address) {
  const deadline = Date.now() + patience
  while (!(await accepts(address))) {
    if (Date.now() > deadline) throw new Error(`PgBouncer was not ready in ${patience} ms\n${log()}`)
    await sleep(10)
  }
}

/** @param {string} address */
function accepts(address) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function log() {
  const path = join(folder, 'log')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-10).join('\n') : ''
}

function answer(message) {
  // The parent may be gone by now; then `disconnect` does the rest.
  if (process.connected) process.send?.(message, () => {})
}

let ending = false
async function end() {
  if (ending) return
  ending = true
  if (pooler && pooler.exitCode === null && pooler.signalCode === null) {
    const gone = once(pooler, 'exit')
    // SIGTERM: at once, with clients connected.
    pooler.kill('SIGTERM')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}
