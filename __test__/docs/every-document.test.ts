import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { statementFiles } from '../../scripts/setup/statements.mjs'
import { DOCUMENTS, found, headingsOf, readDocument } from './documents.js'

describe.each(DOCUMENTS)('%s', (name) => {
  const text = readDocument(name)

  test('keeps to 120 columns', () => {
    expect(found(/^.{121,}$/gm, text)).toEqual([])
  })

  test('has links that lead somewhere', () => {
    const links = found(/\]\((?!https?:)([^)]*)\)/g, text)
    expect(links.filter((link) => !exists(link))).toEqual([])
  })

  function exists(link: string): boolean {
    const [path, anchor] = link.split('#')
    const target = path ? join(dirname(name), path) : name
    return existsSync(at(target)) && (anchor === undefined || anchorsOf(target).includes(anchor))
  }

  test('names commands, files and statements that exist', () => {
    const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { scripts: object }
    const paths = found(/`((?:src|lib|migrations|scripts|tests|docs|__test__)\/[\w./-]+)`/g, text)
    const files = statementFiles()
    const isMissing = {
      command: (command: string) => !(command in scripts),
      path: (path: string) => !path.includes('NNNN') && !existsSync(at(path)),
      statement: (file: string) => !files.some((path) => `/${path}`.endsWith(`/${file}`)),
    }
    expect({
      commands: found(/npm run ([\w:]+)/g, text).filter(isMissing.command),
      paths: paths.filter(isMissing.path),
      statements: found(/`((?:\w+\/)?\w+\.sql)`/g, text).filter(isMissing.statement),
    }).toEqual({ commands: [], paths: [], statements: [] })
  })
})

/** The anchors of a document, as GitHub makes them of its headings. */
function anchorsOf(name: string): string[] {
  return headingsOf(readDocument(name)).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
