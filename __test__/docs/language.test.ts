import { expect, test } from 'vitest'
import { DOCUMENTS, readDocument } from './documents.js'

/** Phrases that a native engineer would not write; see the glossary in CONTRIBUTING.md. */
const REFUSED = /\b(can not|whoever|is no |in place of)/gi

test.each([...DOCUMENTS, 'examples/nextjs/README.md'])('%s is in plain English', (name) => {
  const text = readDocument(name).replaceAll(/\s+/g, ' ')
  const found = [...text.matchAll(REFUSED)].map(({ index }) => text.slice(Math.max(0, index - 40), index + 40))
  expect(found).toEqual([])
})
