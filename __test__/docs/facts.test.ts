import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as symphony from '@leadmap/symphony'
import * as testing from '@leadmap/symphony/testing'
import * as utils from '@leadmap/symphony/utils'
import { describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { blocksOf, DOCUMENTS, prose, readDocument, section } from './documents.js'

/** A variable's name may look like it. */
const CODE = /SYMPHONY_[A-Z_]*[A-Z]/g

/** The sources of a folder, without tests. */
function sources(folder: string, ending: string): string[] {
  return readdirSync(at(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.endsWith(`.test${ending}`) && !name.startsWith('fixtures'))
    .map((name) => readFileSync(at(folder, name), 'utf8'))
}

/** Everything that a pattern finds, once. */
function found(pattern: RegExp, ...texts: string[]): string[] {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? match[0])))].sort()
}

/** Variables with their keys, as the core reads them. */
function variables(): Map<string, string> {
  const core = readFileSync(at('src/config/environment.rs'), 'utf8')
  return new Map([...core.matchAll(/^ {4}\("(\w+)", "([\w.]+)", Kind::/gm)].map(([, name = '', key = '']) => [name, key]))
}

describe('configuration.md', () => {
  const text = readDocument('docs/configuration.md')

  test('has every environment variable with its key, and no other', () => {
    const rows = [...section(text, 'Environment variables').matchAll(/^\| `(SYMPHONY_\w+)` \| `([\w.]+)` \|$/gm)]
    const documented = new Map(rows.map(([, name = '', key = '']) => [name, key]))
    expect(documented).toEqual(variables())
  })

  test('has every key', () => {
    const missing = (value: object): string[] =>
      Object.entries(value).flatMap(([key, inner]) => {
        const here = text.includes(`\`${key}\``) || text.includes(`.${key}\``) || text.includes(`### ${key}\n`)
        const isTree = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        return [...(here ? [] : [key]), ...(isTree ? missing(inner) : [])]
      })
    const { transports: _, ...config } = symphony.getConfig()
    expect(missing({ ...config, retry: { default: config.retry.default } })).toEqual([])
  })
})

describe('user-guide.md', () => {
  const guide = readDocument('docs/user-guide.md')

  test('has every error code, and no other', () => {
    const known = [...variables().keys(), 'SYMPHONY_ENV']
    const codes = (...texts: string[]): string[] => found(CODE, ...texts).filter((code) => !known.includes(code))
    expect(codes(section(guide, 'Errors'))).toEqual(codes(...sources('src', 'error.rs'), ...sources('lib', '.ts')))
  })

  test('or another document names every function and class of the package', () => {
    const all = DOCUMENTS.filter((name) => name.startsWith('docs/')).map(readDocument).join('\n')
    const exported = [symphony, testing, utils].flatMap((entry) => Object.keys(entry))
    expect(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).toEqual([])
  })

  test('begins with a list of its sections', () => {
    const listed = found(/^- \[(.+)\]\(#/gm, guide.split('\n## ')[0] ?? '')
    expect(listed).toEqual(found(/^## (.+)$/gm, guide))
  })
})

describe('CONTRIBUTING.md', () => {
  const [map = ''] = blocksOf(section(readDocument('CONTRIBUTING.md'), 'The map')).map(({ code }) => code)

  test('names every part of the core and of the library', () => {
    const parts = ['src', 'lib'].flatMap((folder) => readdirSync(at(folder)).map((name) => join(folder, name)))
    const isPart = (path: string): boolean => statSync(at(path)).isDirectory() || path.startsWith('src')
    const unnamed = parts.filter((path) => isPart(path) && !new RegExp(`^ +${basename(path)}\\b`, 'm').test(map))
    expect(unnamed).toEqual([])
  })

  test('names nothing that does not exist', () => {
    let folders: string[] = []
    for (const line of map.trimEnd().split('\n')) {
      const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? []
      folders = [...folders.slice(0, indent.length / 2), name]
      expect(existsSync(at(...folders)), folders.join('')).toBe(true)
    }
  })
})

describe('every document', () => {
  test.each(DOCUMENTS)('%s keeps to 120 columns', (name) => {
    const long = readDocument(name).split('\n').flatMap((line, index) => (line.length > 120 ? [index + 1] : []))
    expect(long).toEqual([])
  })

  test.each(DOCUMENTS)('%s has links that lead somewhere', (name) => {
    const dead = [...readDocument(name).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].filter(([, path, anchor]) => {
      const target = path ? join(dirname(name), path) : name
      return !existsSync(at(target)) || (anchor !== undefined && !anchors(target).includes(anchor))
    })
    expect(dead.map(([link]) => link)).toEqual([])
  })

  test.each(DOCUMENTS)('%s names commands and files that exist', (name) => {
    const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { scripts: Record<string, string> }
    const text = readDocument(name)
    expect(found(/npm run ([\w:]+)/g, text).filter((script) => !(script in scripts))).toEqual([])
    const paths = found(/`((?:src|lib|migrations|scripts|tests|docs|__test__)\/[\w./-]+)`/g, text)
    expect(paths.filter((path) => !path.includes('NNNN') && !existsSync(at(path)))).toEqual([])
    const statements = found(/`(\w+\.sql)`/g, text)
    expect(statements.filter((file) => !existsSync(at('src/transport/postgres', file)))).toEqual([])
  })
})

/** The anchors of a document, as GitHub makes them. */
function anchors(name: string): string[] {
  return prose(readDocument(name)).flatMap(({ text }) => {
    const [, heading] = /^#+ (.+)$/.exec(text) ?? []
    return heading === undefined ? [] : [heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-')]
  })
}
