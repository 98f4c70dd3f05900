/** Who runs the server: Postgres refuses to run as root, so then it runs as `nobody`. */
import { existsSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'

const nobody = 65534

/**
 * @typedef {{ uid: number, gid: number } | undefined} Account Undefined for the account of this process.
 */

/** @returns {Account} */
export function serverAccount() {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : undefined
}

const memoryDisk = '/dev/shm'
/** In bytes. Containers often have 64 MB there. */
const enoughMemory = 4 * 1024 ** 3

/**
 * The folder for temporary files; `/tmp` when the account may not enter the configured one.
 *
 * @param {Account} account
 * @param {boolean} inMemory Prefers a memory disk, where there is a large one: creating a database takes 20 ms there
 *   and 300 ms on a disk that is busy with writing back.
 */
export function temporaryRoot(account, inMemory) {
  if (inMemory && hasMemoryDisk(account)) return memoryDisk
  return isReachable(tmpdir(), account) ? tmpdir() : '/tmp'
}

function hasMemoryDisk(account) {
  if (process.platform !== 'linux' || !existsSync(memoryDisk) || !isReachable(memoryDisk, account)) return false
  const { bavail, bsize } = statfsSync(memoryDisk)
  return bavail * bsize >= enoughMemory
}

/**
 * Whether the account may enter a folder: all folders above it have to let it through.
 *
 * @param {string} folder
 * @param {Account} account
 */
export function isReachable(folder, account) {
  if (!account) return true
  const parent = dirname(folder)
  const entersForAll = (statSync(folder).mode & 0o005) === 0o005
  return entersForAll && (parent === folder || isPassable(parent))
}

function isPassable(folder) {
  const parent = dirname(folder)
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isPassable(parent))
}
