/** The documents of the repository, and what their blocks of code are called. */
import { readdirSync, readFileSync } from 'node:fs'
import { at } from '../../scripts/setup/paths.mjs'

/** One fenced block. */
export interface Block {
  /** As the fence says: `ts`, `js`, `sh`, `json`, … */
  language: string
  code: string
  /** The line of the fence, from 1. */
  line: number
  /** What the block's first line, `// app/route.ts`, says that the file is called. */
  path: string | undefined
}

/** Every document that is for people who read the repository. */
export const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(at('docs')).map((name) => `docs/${name}`),
]

/** The text of a document. */
export function readDocument(name: string): string {
  return readFileSync(at(name), 'utf8')
}

/** The blocks of a text, in order. */
export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length,
    path: /^\/\/ ([\w./-]+\.\w+)\n/.exec(code)?.[1],
  }))
}

/** The text below a heading of the second level, its subsections included. */
export function section(text: string, heading: string): string {
  const [, below] = text.split(`\n## ${heading}\n`)
  if (below === undefined) throw new Error(`there is no section "${heading}"`)
  return below.split('\n## ')[0] ?? ''
}

/** The lines outside of blocks of code, each with its number. */
export function prose(text: string): Array<{ line: number; text: string }> {
  let inCode = false
  return text.split('\n').flatMap((content, index) => {
    const isFence = content.startsWith('```')
    if (isFence) inCode = !inCode
    return isFence || inCode ? [] : [{ line: index + 1, text: content }]
  })
}
