import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { outputOf, runNode } from '../../scripts/setup/process.mjs'
import { COMPILER_OPTIONS } from '../support/compiler-options.js'
import { type Block, blocksOf, DOCUMENTS, readDocument } from './documents.js'

/** Inside the package, so that its name leads to its bundle, as it would in `node_modules`. */
const folder = at('target', 'test', 'docs')
const application = fileURLToPath(new URL('./application/', import.meta.url))

const CODE = new Set(['ts', 'tsx', 'js', 'mjs'])

/** `js` is checked as well. */
const PROJECT = {
  compilerOptions: {
    ...COMPILER_OPTIONS,
    jsx: 'preserve',
    allowJs: true,
    checkJs: true,
    noImplicitAny: true,
    isolatedModules: true,
    // Blocks without import or export are modules as well.
    moduleDetection: 'force',
  },
  include: ['**/*'],
}

/** The file of a block: as its first line says, else named after the document and the line. */
function fileOf(block: Block): string {
  const extension = block.language === 'js' ? 'mjs' : block.language
  return block.path ?? `line-${block.line}.${extension}`
}

/** Each document is an application, in which a file of the documents' own wins over the supplied one. */
function writeApplications(): number {
  rmSync(folder, { recursive: true, force: true })
  let written = 0
  for (const document of DOCUMENTS) {
    const home = join(folder, document.slice(0, -extname(document).length))
    cpSync(application, home, { recursive: true })
    for (const block of blocksOf(readDocument(document)).filter(({ language }) => CODE.has(language))) {
      const file = join(home, fileOf(block))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, block.code)
      written += 1
    }
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(PROJECT))
  return written
}

test('every block of TypeScript and JavaScript type-checks against the built package', {
  timeout: 60_000,
}, async () => {
  expect(writeApplications()).toBeGreaterThan(30)
  const check = runNode(at('node_modules/typescript/bin/tsc'), ['--project', folder], { cwd: folder })
  const problems = await check.catch((error: unknown) => outputOf(error) ?? String(error))
  expect(problems).toBe('')
})

test('no block needs a cast', () => {
  for (const document of DOCUMENTS) {
    for (const { code, language, line } of blocksOf(readDocument(document))) {
      if (CODE.has(language)) expect(code, `${document}:${line}`).not.toMatch(/ as (?!const\b)\w+|: any\b|@ts-/)
    }
  }
})

test('every block of JSON is JSON', () => {
  for (const document of DOCUMENTS) {
    for (const { code, language } of blocksOf(readDocument(document))) if (language === 'json') JSON.parse(code)
  }
})
