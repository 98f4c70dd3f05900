/** `symphony migrate sql`: the migrations as SQL, for psql and for people who review it. */
import { readdirSync, readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { acting } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { whole } from '../values.js'

interface SqlOptions {
  from: number
  to?: number
  down?: boolean
  schema?: string
}

/** Adds the command. */
export function addMigrateSql(migrate: Command): void {
  migrate
    .command('sql')
    .summary('the migrations as SQL, for psql')
    .description('The migrations as SQL, each in a transaction of its own. Needs no database.')
    .addOption(new Option('--from <version>', 'the version that the tables have').argParser(whole()).default(0))
    .option('--to <version>', 'the version that they shall have; the latest by default', whole())
    .option('--down', 'those that lead from --to back to --from')
    .addHelpText('after', '\nBy hand: symphony migrate sql --from 7 | psql "$DATABASE_URL"')
    .action(
      acting<[], SqlOptions>(({ options: { from, to = Number.MAX_SAFE_INTEGER, down, schema = 'symphony' }, out }) => {
        const files = migrations(down ? 'down' : 'up').filter(({ version }) => version > from && version <= to)
        if (files.length === 0) throw new Exit(EXIT.notFound, `no migration is above ${from}`)
        out.print(`\\set schema ${schema.includes("'") ? `'${schema.replaceAll("'", "''")}'` : schema}`)
        for (const { name, sql } of down ? files.reverse() : files) {
          out.print(`\n-- ${name}\nBEGIN;\n${sql.trim()}\nCOMMIT;`)
        }
      }),
    )
}

interface File {
  version: number
  name: string
  sql: string
}

/** The files of the package, by version. */
function migrations(direction: 'up' | 'down'): File[] {
  const folder = new URL('../migrations/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.${direction}.sql`))
    .sort()
    .map((name) => ({ version: Number.parseInt(name, 10), name, sql: readFileSync(new URL(name, folder), 'utf8') }))
}
