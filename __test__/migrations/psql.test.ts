import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { close, dispatch, migrate, setConfig } from '@leadmap/symphony'
import { migrationStatus } from '@leadmap/symphony/admin'
import { execa, execaSync } from 'execa'
import { afterAll, expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
const havePsql = execaSync('psql', ['--version'], { reject: false }).exitCode === 0
const database = await createDatabase()
afterAll(close)

const files = (direction: 'up' | 'down') =>
  readdirSync(folder)
    .filter((name) => name.endsWith(`.${direction}.sql`))
    .sort()

/** Runs a file as its header says. */
async function psql(file: string, ...variables: string[]): Promise<void> {
  const parameters = [database.url, '--no-psqlrc', '--quiet', ...variables, '-1', '-f', `${folder}${file}`]
  await execa('psql', parameters)
}

/** Columns, indexes, rights and comments of a schema, without its name. */
async function structure(schema: string) {
  const rows = await database.query(
    `SELECT c.relname, c.relkind, c.relrowsecurity, c.relacl::text, c.reloptions::text, obj_description(c.oid) AS comment,
            (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                                              pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
                             ORDER BY a.attnum)
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
            (SELECT json_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid::regclass::text)
             FROM pg_index WHERE indrelid = c.oid) AS indexes,
            (SELECT json_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid) AS constraints
     FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v') ORDER BY 1`,
    [`"${schema}"`],
  )
  return JSON.parse(JSON.stringify(rows).replaceAll(`${schema}.`, 'S.'))
}

test.skipIf(!havePsql)(
  'the files run by psql make what migrate() makes, also in a schema of another name',
  async () => {
    setConfig({ database: { url: database.url, schema: 'by_api' } })
    await migrate()
    for (const file of files('up')) await psql(file)
    for (const file of files('up')) await psql(file, '-v', 'schema=Other')
    const expected = await structure('by_api')
    expect(expected.length).toBeGreaterThan(5)
    expect(await structure('symphony')).toEqual(expected)
    expect((await structure('Other')).map((each: { relname: string }) => each.relname)).toEqual(
      expected.map((each: { relname: string }) => each.relname),
    )
    for (const schema of ['symphony', 'Other']) {
      setConfig({ database: { schema } })
      expect(await migrationStatus()).toMatchObject({ pending: [] })
      expect(await migrate()).toMatchObject({ applied: [] })
      expect(await dispatch({ type: 'Any', payload: {} })).toMatchObject({ status: 'queued' })
    }
  },
)

test.skipIf(!havePsql)('the files down leave nothing', async () => {
  for (const file of files('down').reverse()) await psql(file, '-v', 'schema=Other')
  setConfig({ database: { schema: 'Other' } })
  expect(await migrationStatus()).toMatchObject({ version: 0 })
  const left = await database.query(
    `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'Other'`,
  )
  expect(left).toEqual([])
})
