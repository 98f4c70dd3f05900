/** The version of an installed peer; not every package exports its package.json. */
import { readFileSync } from 'node:fs'

/** @param {string} name */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
}
