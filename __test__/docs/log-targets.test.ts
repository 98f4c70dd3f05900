/** The guide lists the targets of the core's log lines; the core refuses any other. */
import { createSymphony } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { readDocument, section } from './documents.js'

test('the table of lines has every target, and no other', () => {
  const lines = section(readDocument('docs/monitoring.md'), 'Log lines').split('### Lines of the core')[1] ?? ''
  const table = lines.matchAll(/^\| `(symphony::\w+)` \|/gm)
  const documented = [...table].map(([, target]) => target)
  expect(documented.sort()).toEqual(known().sort())
})

/** As the refusal of an unknown one lists them. */
function known(): string[] {
  try {
    createSymphony({ config: { logging: { targets: { all: 'debug' } } } })
  } catch (error) {
    return [...String(error).matchAll(/symphony::\w+/g)].map(([target]) => target)
  }
  return []
}
