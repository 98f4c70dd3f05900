import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { readDocument } from './documents.js'

test('every test that the list of mistakes names exists', () => {
  const text = readDocument('docs/lessons.md').replaceAll(/\s+/g, ' ')
  const named = [...text.matchAll(/`([\w./-]+\.(ts|rs))`: "([^"]+)"/g)]
  const missing = named.filter(([, file = '', language, name = '']) => {
    const source = readFileSync(at(file), 'utf8')
    return !source.includes(language === 'rs' ? `fn ${name.replaceAll(' ', '_')}` : name)
  })
  expect(missing.map(([reference]) => reference)).toEqual([])
  expect(named.length).toBeGreaterThan(50)
  // No entry stands there without one.
  const entries = text.split('- **').slice(1)
  expect(entries.filter((entry) => !/`: "/.test(entry))).toEqual([])
})
