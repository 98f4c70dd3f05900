/** What the bundle of the command line needs beside its sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The libraries that it is made of. A test compares them with the licences that are written. */
export const bundled = [
  '@bomb.sh/tab',
  '@clack/core',
  '@clack/prompts',
  'commander',
  'fast-string-truncated-width',
  'fast-string-width',
  'fast-wrap-ansi',
  'picocolors',
  'sisteransi',
]

/**
 * Leaves the entries of the package outside: the program imports them when a command runs, and shares them with the
 * handlers of the application.
 *
 * @param {readonly string[]} entries Their names.
 */
export function entriesOutside(entries) {
  return {
    name: 'entries-outside',
    /** @param {string} source */
    resolveId(source) {
      const [, name] = /^(?:\.\.\/)+(\w+)\.js$/.exec(source) ?? []
      return name !== undefined && entries.includes(name) ? { id: `./${name}.mjs`, external: 'relative' } : undefined
    },
  }
}

/**
 * Writes the licences of everything that was bundled into a file beside the program.
 *
 * @param {string} fileName
 */
export function licenses(fileName) {
  return {
    name: 'licenses',
    /** @param {unknown} _options @param {Record<string, { moduleIds?: string[] }>} chunks */
    generateBundle(_options, chunks) {
      const modules = Object.values(chunks).flatMap(({ moduleIds = [] }) => moduleIds)
      const folders = new Set(modules.map(packageOf).filter((folder) => folder !== undefined))
      const source = [...folders].sort().map(licenseOf).join('\n\n')
      this.emitFile({ type: 'asset', fileName, source })
    },
  }
}

/** @param {string} module Its path. */
function packageOf(module) {
  return /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0]
}

/** @param {string} folder */
function licenseOf(folder) {
  const { name, version, license, repository, homepage } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
  const text =
    file === undefined ? `See ${homepage ?? repository?.url}.` : readFileSync(join(folder, file), 'utf8').trim()
  return `${name} ${version} (${license})\n\n${text}`
}
