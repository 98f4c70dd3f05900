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
  found(/from '(\.[^']+)'/g, readFileSync(at('lib', file), 'utf8')).map((specifier) => ({
    file,
    used: normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts'),
  })),
)

test('every room uses only what stands above it', () => {
  expect(rooms.length).toBeGreaterThan(15)
  expect(imports.length).toBeGreaterThan(300)
  const wrong = imports.filter(({ file, used }) => {
    const [here, there] = [roomOf(file), roomOf(used)]
    if (here === undefined) return false
    return there === undefined || rooms.indexOf(there) > rooms.indexOf(here)
  })
  expect(wrong).toEqual([])
})

test('at the top there are entries, which only re-export, the composition root and rooms', () => {
  const entries = files.filter((file) => !file.includes(sep) && file !== 'symphony.ts')
  for (const entry of entries) {
    const code = readFileSync(at('lib', entry), 'utf8').replaceAll(/\/\*\*.*?\*\//gs, '')
    const rest = code.replaceAll(/export (?:type )?(?:\*|\{[^}]*\}) from '[^']+'\n/g, '').trim()
    expect(rest, entry).toBe('')
  }
})
