import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { blocksOf, readDocument, section } from './documents.js'

const map = blocksOf(section(readDocument('CONTRIBUTING.md'), 'The map'))[0]?.code ?? ''

test('the map names every file and folder of the core, and every folder of the library', () => {
  const parts = ['src', 'lib'].flatMap((folder) => readdirSync(at(folder)).map((name) => join(folder, name)))
  const unnamed = parts.filter((path) => isPart(path) && !new RegExp(`^ +${basename(path)}\\b`, 'm').test(map))
  expect(unnamed).toEqual([])
})

function isPart(path: string): boolean {
  return statSync(at(path)).isDirectory() ? readdirSync(at(path)).length > 0 : path.startsWith('src')
}

test('the map names nothing that does not exist', () => {
  let place: string[] = []
  for (const line of map.trimEnd().split('\n')) {
    const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? []
    place = [...place.slice(0, indent.length / 2), name]
    expect(existsSync(at(...place)), place.join('')).toBe(true)
  }
})
