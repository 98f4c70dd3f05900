import { expect, test } from 'vitest'
import { apiReference } from '../../scripts/api-reference.mjs'
import { readDocument } from './documents.js'

test('the API reference is what the sources say; else run `node scripts/api-reference.mjs`', {
  timeout: 60_000,
}, () => {
  expect(readDocument('docs/api-reference.md') === apiReference()).toBe(true)
})
