/** The statements of the Postgres backend, as its sources list them. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './paths.mjs'

const folder = 'src/backends/postgres/sql'

/**
 * @typedef {object} Statement
 * @property {string[]} parameters As Postgres names their types: `uuid[]`.
 * @property {string} sql With the parts that it names, as `in_schema` of the list writes it.
 */

/** Each statement by its name, of the sources in `from`. @returns {Map<string, Statement>} */
export function readStatements(from = root) {
  const read = (/** @type {string} */ path) => readFileSync(join(from, folder, path), 'utf8')
  const [, list = ''] = read('mod.rs').split(/^statements! \{$/m)
  const entries = list.matchAll(/^ {4}(\w+) in "([\w/]+\.sql)" (?:(filtered|knowing|seldom) )?\(([A-Z0-9_,\s]*)\);/gm)
  const paths = statementFiles(from)
  const part = (/** @type {string} */ name) => read(paths.find((path) => basename(path) === `_${name}.sql`) ?? name)
  // A part may be in a part.
  const whole = (/** @type {string} */ text) =>
    text.replaceAll(/^ *:(?!asking$|asked$)(\w+)$/gm, (_, name) => whole(part(name).trimEnd()))
  const left = (/** @type {string} */ text, /** @type {string | undefined} */ kind) =>
    text.replaceAll(kind === 'knowing' ? /^ *:asking\n(?:.*\n)*?^ *:asked\n?/gm : /^ *:ask(?:ing|ed)\n?/gm, '')
  return new Map(
    [...entries].map(([, name = '', path = '', kind, types = '']) => [
      name,
      { parameters: parameters(types), sql: left(whole(read(path)), kind) },
    ]),
  )
}

/** Every SQL file below the list, parts included. */
export function statementFiles(from = root) {
  const paths = readdirSync(join(from, folder), { recursive: true, encoding: 'utf8' })
  return paths.map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.sql'))
}

/** `UUID_ARRAY` is `uuid[]`. @param {string} types */
function parameters(types) {
  const names = types.split(',').map((type) => type.trim().toLowerCase().replace('_array', '[]'))
  return names.filter(Boolean)
}
