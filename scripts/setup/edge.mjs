/** `dist/edge/`: the entries of the package for runtimes that cannot load an addon, see lib/edge.ts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { at } from './paths.mjs'

/** @param {string[]} entries Names of files in `dist/`. */
export async function writeEdgeEntries(entries) {
  mkdirSync(at('dist', 'edge'), { recursive: true })
  for (const entry of entries) {
    // A name of its own for every build: modules that were imported once stay what they were.
    const names = Object.keys(await import(`${pathToFileURL(at('dist', `${entry}.mjs`)).href}?${Date.now()}`))
    writeFileSync(at('dist', 'edge', `${entry}.mjs`), standIn(names))
  }
}

function standIn(names) {
  const lines = names.map((name) => `export const ${name} = refusing('${name}')`)
  return ["import { refusing } from '../edge.mjs'", ...lines, ''].join('\n')
}
