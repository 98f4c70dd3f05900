/**
 * Writes down the statements of a release: `node scripts/previous-statements.mjs [folder]`, from its sources there.
 *
 * What it writes, `__test__/migrations/previous.json`, stands for the code of that release in the tests of rolling
 * deployments: it runs beside the code of today, on the schema of today. Run it when a release is made.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, root } from './setup/paths.mjs'

const folder = join(process.argv[2] ?? root, 'src/transport/postgres')
const read = (/** @type {string} */ name) => readFileSync(join(folder, name), 'utf8')

/** A statement with the parts that it names, as `in_schema` of statement.rs writes it. @param {string} name */
const sql = (name) => read(`${name}.sql`).replaceAll(/^ *:(\w+)$/gm, (_, part) => read(`${part}.sql`).trimEnd())

/** `UUID_ARRAY` is `uuid[]`. @param {string} types */
const parameters = (types) =>
  types
    .split(',')
    .map((type) => type.trim().toLowerCase().replace('_array', '[]'))
    .filter(Boolean)

const [, list = ''] = read('statement.rs').split(/^statements! \{$/m)
const statements = [...list.matchAll(/^ {4}(\w+)\(([^)]*)\);/gm)].map(([, name = '', types = '']) => [
  name,
  { parameters: parameters(types), sql: sql(name) },
])
writeFileSync(
  at('__test__', 'migrations', 'previous.json'),
  `${JSON.stringify(Object.fromEntries(statements), null, 2)}\n`,
)
