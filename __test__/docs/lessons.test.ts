import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { readDocument } from './documents.js'

test('every test that the list of mistakes names exists', () => {
  const text = readDocument('docs/lessons.md').replaceAll(/\s+/g, ' ')
  const named = [...text.matchAll(/`([\w./-]+\.(ts|rs))`: "([^"]+)"/g)]
  const missing = named.filter(([, file = '', language, name = '']) => {
    const source = readFileSync(at(file), 'utf8')
    if (language === 'rs') return !new RegExp(`fn ${name.replaceAll(' ', '_')}[(<]`).test(source)
    // As the name of a test, not as a part of one.
    return ![`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => source.includes(quoted))
  })
  expect(missing.map(([reference]) => reference)).toEqual([])
  expect(named.length).toBeGreaterThan(50)
  // No entry stands there without one.
  const entries = text.split('- **').slice(1)
  expect(entries.filter((entry) => !/`: "/.test(entry))).toEqual([])
})
