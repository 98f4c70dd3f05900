/**
 * Writes down the statements of a release: `node scripts/previous-statements.mjs [folder]`, from its sources there.
 *
 * What it writes, `__test__/migrations/previous.json`, stands for the code of that release in the tests of rolling
 * deployments: it runs beside the code of today, on the schema of today. Run it when a release is made.
 */
import { writeFileSync } from 'node:fs'
import { at } from './setup/paths.mjs'
import { readStatements } from './setup/statements.mjs'

const statements = Object.fromEntries(readStatements(process.argv[2]))
writeFileSync(at('__test__', 'migrations', 'previous.json'), `${JSON.stringify(statements, null, 2)}\n`)
