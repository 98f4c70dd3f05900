import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { DOCUMENTS } from './documents.js'

/** Phrases that a native engineer would not write; see the glossary in CONTRIBUTING.md. */
const REFUSED = /(?<![a-z])(can(?: |_)not|whoever|is(?: |_)no(?: |_)|in place of)/gi

/** Where people read comments, errors, log lines and the titles of tests. */
const FOLDERS = ['src', 'lib', 'migrations', 'scripts', 'bench', 'examples', 'tests', '__test__']
const TEXT = new Set(['.rs', '.ts', '.tsx', '.mjs', '.mts', '.js', '.sql', '.sh', '.md', '.toml', '.txt'])
/** What others wrote, what is installed or built, and this list itself. */
const LEFT_OUT = /(^|\/)(node_modules|target|\.next[\w-]*|dist)\/|seeds\/documents|language\.test/

const files = FOLDERS.flatMap((folder) =>
  readdirSync(at(folder), { recursive: true, encoding: 'utf8' }).map(
    (name) => `${folder}/${name.replaceAll('\\', '/')}`,
  ),
).filter((name) => TEXT.has(extname(name)) && !LEFT_OUT.test(name))

test('everything people read is in plain English', () => {
  const found = [...DOCUMENTS, 'Cargo.toml', 'build.rs', ...files].flatMap((name) =>
    phrases(readFileSync(at(name), 'utf8')).map((phrase) => `${name}: ${phrase}`),
  )
  expect(found).toEqual([])
  expect(files.length).toBeGreaterThan(500)
})

/** What is refused, with some of what is around it; phrases may begin on one line of a comment and end on the next. */
function phrases(text: string): string[] {
  const joined = text.replaceAll(/\n\s*(?:\/\/[/!]?|\*|--|#)?\s*/g, ' ')
  return [...joined.matchAll(REFUSED)].map(({ index }) => joined.slice(Math.max(0, index - 40), index + 40))
}
