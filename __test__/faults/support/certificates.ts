import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { serverAccount, temporaryRoot } from '../../../scripts/servers/account.mjs'
import { findProgram } from '../../../scripts/servers/program.mjs'

/** An authority that nobody knows, and what it has signed: paths of PEM files. */
export interface Certificates {
  readonly authority: string
  /** Another authority, which has signed nothing. */
  readonly stranger: string
  readonly certificate: string
  readonly key: string
}

/**
 * Makes them for one host name, readable for the servers; they go with the test file. `missing`: why there are none.
 */
export async function makeCertificates(host: string): Promise<Certificates | { missing: string }> {
  const openssl = await findProgram('openssl', 'openssl')
  if ('missing' in openssl) return openssl
  const account = serverAccount()
  const folder = mkdtempSync(join(temporaryRoot(account, false), 'symphony-certificates-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const file = (name: string) => join(folder, name)
  const run = (line: string) => void execFileSync(openssl.path, line.split(' '), { cwd: folder, stdio: 'pipe' })
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  for (const name of ['authority', 'stranger']) {
    run(`req -x509 ${key} -keyout ${name}.key -out ${name}.pem -days 2 -subj /CN=${name}`)
  }
  writeFileSync(file('names'), `subjectAltName=DNS:${host}\n`)
  run(`req ${key} -keyout server.key -out request -subj /CN=${host}`)
  const by = '-CA authority.pem -CAkey authority.key -CAcreateserial'
  run(`x509 -req -in request ${by} -days 2 -extfile names -out server.pem`)
  // A server refuses a key that others may read.
  chmodSync(file('server.key'), 0o600)
  if (account) {
    for (const path of [folder, ...readdirSync(folder).map(file)]) chownSync(path, account.uid, account.gid)
  }
  return {
    authority: file('authority.pem'),
    stranger: file('stranger.pem'),
    certificate: file('server.pem'),
    key: file('server.key'),
  }
}
