import { readdirSync, readFileSync } from 'node:fs'
import * as symphony from '@leadmap/symphony'
import * as admin from '@leadmap/symphony/admin'
import * as config from '@leadmap/symphony/config'
import * as next from '@leadmap/symphony/next'
import * as testing from '@leadmap/symphony/testing'
import * as utils from '@leadmap/symphony/utils'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { VARIABLES } from './configuration-keys.js'
import { DOCUMENTS, found, readDocument, section } from './documents.js'

const guide = readDocument('docs/user-guide.md')

test('every error code is there, and no other', () => {
  const library = readdirSync(at('lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('testing/fakes'))
    .map((name) => readFileSync(at('lib', name), 'utf8'))
  const core = readFileSync(at('src/error.rs'), 'utf8')
  expect(codesOf(section(guide, 'Errors'))).toEqual(codesOf(core, ...library))
})

/** The names of variables look the same. */
function codesOf(...texts: string[]): string[] {
  const variables = [...VARIABLES.keys(), 'SYMPHONY_ENV', 'SYMPHONY_RELEASE']
  const isVariable = (name: string) => variables.includes(name) || /^SYMPHONY_\w+_ENABLED$/.test(name)
  return found(/SYMPHONY_[A-Z_]*[A-Z]/g, ...texts).filter((name) => !isVariable(name))
}

test('every function and class of the package is there, or in another document for users', () => {
  const forUsers = DOCUMENTS.filter((name) => name.startsWith('docs/'))
  const words = new Set(forUsers.flatMap((name) => found(/\w+/g, readDocument(name))))
  const exported = [symphony, admin, config, next, testing, utils].flatMap((entry) => Object.keys(entry))
  expect(exported.filter((name) => !words.has(name))).toEqual([])
})

test('it begins with a list of its sections', () => {
  const [beginning = ''] = guide.split('\n## ')
  expect(found(/^- \[(.+)\]\(#/gm, beginning)).toEqual(found(/^## (.+)$/gm, guide))
})
