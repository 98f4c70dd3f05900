/** The library is built in rooms: a folder uses only what stands above it in the map. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { blocksOf, found, readDocument, section } from '../docs/documents.js'

const map = blocksOf(section(readDocument('CONTRIBUTING.md'), 'The map'))[0]?.code ?? ''
const library = map.slice(map.indexOf('\nlib/'), map.indexOf('\nmigrations/'))

/** In the order of the map. */
const rooms = [...library.matchAll(/^ {2}(\w+|symphony\.ts)(?=\/| ) */gm)].map(([, name = '']) => name)

/** Entries, which use all rooms, are none. */
function roomOf(path: string): string | undefined {
  return rooms.find((room) => room === path.split(sep)[0])
}

const files = readdirSync(at('lib'), { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
)

const imports = files.flatMap((file) =>
  found(/(?:from |import |import\()'(\.[^']+)'/g, readFileSync(at('lib', file), 'utf8')).map((specifier) => ({
    file,
    used: normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts'),
  })),
)

test('every room uses only what stands above it', () => {
  expect(rooms.length).toBeGreaterThan(15)
  expect(imports.length).toBeGreaterThan(300)
  const wrong = imports.filter(({ file, used }) => {
    const [here, there] = [roomOf(file), roomOf(used)]
    if (here === undefined || here === 'cli') return false
    return there === undefined || rooms.indexOf(there) > rooms.indexOf(here)
  })
  expect(wrong).toEqual([])
})

test('the command line uses entries and what knows nothing of queues, and no room uses it', () => {
  const allowed = /^(cli|base)\/|^(index|admin|config|utils)\.ts$/
  const own = imports.filter(({ file }) => roomOf(file) === 'cli')
  expect(own.length).toBeGreaterThan(50)
  expect(own.filter(({ used }) => !allowed.test(used.replaceAll(sep, '/')))).toEqual([])
  expect(imports.filter(({ file, used }) => roomOf(used) === 'cli' && roomOf(file) !== 'cli')).toEqual([])
})

test('what the command line loads of the package at its start is only what knows nothing of queues', () => {
  for (const file of files.filter((name) => roomOf(name) === 'cli')) {
    const early = found(/^import (?!type )[^']*from '(\.[^']+)'/gm, readFileSync(at('lib', file), 'utf8'))
    const used = early.map((specifier) => normalize(join(dirname(file), specifier)).replaceAll(sep, '/'))
    expect(
      used.filter((path) => !/^(cli|base)\//.test(path)),
      file,
    ).toEqual([])
  }
})

test('at the top there are entries, which only re-export, the composition root and rooms', () => {
  const entries = files.filter((file) => !file.includes(sep) && file !== 'symphony.ts')
  for (const entry of entries) {
    const code = readFileSync(at('lib', entry), 'utf8').replaceAll(/\/\*\*.*?\*\//gs, '')
    const rest = code.replaceAll(/export (?:type )?(?:\*|\{[^}]*\}) from '[^']+'\n/g, '').trim()
    expect(rest, entry).toBe('')
  }
})
