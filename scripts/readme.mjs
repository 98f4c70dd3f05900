/** What documents tell their reader to write and run, so that it can be done as a reader would. */
import { readFileSync } from 'node:fs'
import { at } from './setup/paths.mjs'

/**
 * @typedef {object} QuickStart
 * @property {Array<{ name: string, text: string }>} files Blocks of JavaScript that begin with `// name`.
 * @property {string[]} commands The lines of the last block of shell.
 * @property {string} output What the README says that they print.
 */

/** The first part of the README's quick start. @returns {QuickStart} */
export function readQuickStart() {
  const [, section] = /^## Quick start$([\s\S]*?)^##/m.exec(readFileSync(at('README.md'), 'utf8')) ?? []
  if (!section) throw new Error('README.md has no section "Quick start"')
  const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }))
  const of = (language) => blocks.filter((block) => block.language === language).map(({ text }) => text)
  return {
    files: of('js').map((text) => ({ name: /^\/\/ (\S+)/.exec(text)?.[1] ?? 'unnamed.mjs', text })),
    commands: (of('sh').at(-1) ?? '').trim().split('\n'),
    output: of('text').at(-1) ?? '',
  }
}

/**
 * The files of a document: blocks of code that begin with `// name`.
 *
 * @param {string} document
 * @returns {Array<{ name: string, text: string }>}
 */
export function readFiles(document) {
  const blocks = readFileSync(at(document), 'utf8').matchAll(/^```(?:js|tsx?)\n(\/\/ (\S+)\n[\s\S]*?)^```$/gm)
  return [...blocks].map(([, text = '', name = '']) => ({ name, text }))
}
