/** Tells whether what was built is still what the sources say: by content, so that a checkout or a touch costs nothing. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { at, root } from './paths.mjs'

/**
 * A hash over files and folders; those that do not exist count as absent.
 *
 * @param {string[]} paths Relative to the root.
 */
export function contentHash(paths) {
  const hash = createHash('sha256')
  for (const path of paths.map((path) => at(path)).filter(existsSync)) {
    for (const file of filesOf(path))
      hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)))
}

const stampFile = (name) => at('target', 'stamps', name)

/** @param {string} name @param {string} value */
export function isStamped(name, value) {
  return existsSync(stampFile(name)) && readFileSync(stampFile(name), 'utf8') === value
}

/** @param {string} name @param {string} value */
export function stamp(name, value) {
  mkdirSync(dirname(stampFile(name)), { recursive: true })
  writeFileSync(stampFile(name), value)
}
