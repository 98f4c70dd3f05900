/** The documents of the repository, and what can be read from them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
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
  ...readdirSync(at('docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
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
    path: /^\/\/ ([\w./[\]-]+\.\w+)\n/.exec(code)?.[1],
  }))
}

/** Writes every named file of a text, as a reader would; beside TypeScript also what Node.js runs. */
export function writeFiles(text: string, folder: string, module = ts.ModuleKind.ESNext): void {
  for (const { path, code, language } of blocksOf(text)) {
    if (path === undefined) continue
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, code)
    if (language !== 'ts') continue
    const compilerOptions = { module, target: ts.ScriptTarget.ES2022 }
    const extension = module === ts.ModuleKind.CommonJS ? '.cjs' : '.mjs'
    writeFileSync(file.replace(/\.ts$/, extension), ts.transpileModule(code, { compilerOptions }).outputText)
  }
}

/** The headings of a text; a line of code that begins with a hash is none. */
export function headingsOf(text: string): string[] {
  return found(/^#+ (.+)$/gm, text.replaceAll(/^```.*?^```$/gms, ''))
}

/** The text below a heading of the second level, its subsections included. */
export function section(text: string, heading: string): string {
  const [, below] = text.split(`\n## ${heading}\n`)
  if (below === undefined) throw new Error(`no section "${heading}"`)
  return below.split('\n## ')[0] ?? ''
}

/** Everything that a pattern finds, or its first group does: sorted, each once. */
export function found(pattern: RegExp, ...texts: string[]): string[] {
  const all = texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? match[0]))
  return [...new Set(all)].sort()
}
