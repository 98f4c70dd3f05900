/** The temporary folder of one server, which belongs to the account that the server runs as. */
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverAccount, temporaryRoot } from './account.mjs'

/** @typedef {ReturnType<typeof createFolder>} Folder */

/** @param {string} name Of the kind of server. @param {{ inMemory: boolean }} options */
export function createFolder(name, { inMemory }) {
  const account = serverAccount()
  const path = mkdtempSync(join(temporaryRoot(account, inMemory), `symphony-${name}-`))
  const give = (/** @type {string} */ entry) => account && chownSync(entry, account.uid, account.gid)
  give(path)
  const at = (/** @type {string} */ entry) => join(path, entry)
  const logFile = at('log')
  return {
    path,
    account,
    at,
    /** Where programs write what they have to say. */
    logFile,
    /** Its last lines. */
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n') : ''),
    /** Writes a file that only the server may read, and gives its path. @param {string} entry @param {string} text */
    write(entry, text) {
      writeFileSync(at(entry), text, { mode: 0o600 })
      give(at(entry))
      return at(entry)
    },
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  }
}
