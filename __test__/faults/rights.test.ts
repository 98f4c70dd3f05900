import { readdirSync, readFileSync } from 'node:fs'
import { migrate, setConfig } from '@leadmap/symphony'
import { describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { tell } from './support/figures.js'
import { createOwnQueue } from './support/own-server.js'

// Roles belong to the whole server, so it is one of its own.
const server = await createOwnQueue({ database: { schema: 'before_the_roles' } })
const ROLES = ['anon', 'authenticated']
const SCHEMAS = ['before_the_roles', 'symphony', 'public']

// As Supabase sets a project up: whatever is created later in `public` is open to everybody with the public key.
for (const role of ROLES) await server.query(`CREATE ROLE ${role} NOLOGIN`)
for (const schema of ['public', 'symphony']) {
  await server.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  await server.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON TABLES TO ${ROLES.join(', ')}`)
  await server.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON FUNCTIONS TO ${ROLES.join(', ')}`)
  await server.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON SEQUENCES TO ${ROLES.join(', ')}`)
  await server.query(`GRANT USAGE ON SCHEMA ${schema} TO ${ROLES.join(', ')}`)
  setConfig({ database: { schema } })
  await migrate()
}
// Somebody may use the schema for something else as well: the tables have to hold by themselves.
await server.query(`GRANT USAGE ON SCHEMA before_the_roles, symphony TO ${ROLES.join(', ')}`)

interface Named {
  name: string
}

describe.each(SCHEMAS)('in schema %s', async (schema) => {
  const relations = await server.query<Named & { column: string; is_table: boolean; is_writable: boolean }>(
    `SELECT c.relname AS name, c.relkind IN ('r', 'p') AS is_table,
            pg_relation_is_updatable(c.oid, true) <> 0 AS is_writable,
            (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1) AS column
     FROM pg_class c
     WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1`,
    [schema],
  )
  const routines = await server.query<Named & { arguments: number }>(
    `SELECT proname AS name, pronargs AS arguments FROM pg_proc WHERE pronamespace = $1::regnamespace ORDER BY 1`,
    [schema],
  )
  const sequences = await server.query<Named>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'S' ORDER BY 1`,
    [schema],
  )

  test.each(ROLES)('%s is denied everything', async (role) => {
    expect(relations.length).toBeGreaterThan(10)
    const attempts: string[] = []
    for (const { name, column, is_table, is_writable } of relations) {
      const relation = `${schema}.${name}`
      attempts.push(`SELECT FROM ${relation}`, `SELECT ${column} FROM ${relation} LIMIT 1`)
      const set = `SET ${column} = ${column}`
      // Nobody at all may write to a view that counts.
      if (is_writable)
        attempts.push(`INSERT INTO ${relation} DEFAULT VALUES`, `UPDATE ${relation} ${set}`, `DELETE FROM ${relation}`)
      if (is_table) attempts.push(`TRUNCATE ${relation}`, `LOCK TABLE ${relation}`)
    }
    for (const { name, arguments: count } of routines) {
      attempts.push(`SELECT ${schema}.${name}(${Array(count).fill('NULL').join(', ')})`)
    }
    for (const { name } of sequences) attempts.push(`SELECT nextval('${schema}.${name}')`)

    for (const attempt of attempts) expect(await codeOf(role, attempt), attempt).toBe('42501')
    tell('9 rights', {
      schema,
      role,
      'tables and views': relations.length,
      functions: routines.length,
      'statements denied': attempts.length,
    })
  })

  test('row level security stands behind that on every table', async () => {
    const open = await server.query(
      `SELECT relname FROM pg_class
       WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND relname LIKE 'messenger%' AND NOT relrowsecurity`,
      [schema],
    )
    expect(open).toEqual([])
  })
})

test('by hand, no table is open between one file and the next', async () => {
  const schema = 'by_hand'
  await server.query(`CREATE SCHEMA ${schema}`)
  await server.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON TABLES TO PUBLIC, ${ROLES.join(', ')}`)
  const folder = at('migrations')
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.up.sql'))
    .sort()) {
    const lines = readFileSync(`${folder}/${file}`, 'utf8').replaceAll(/^\\.*$/gm, '')
    // As `psql -1 -f`: one transaction.
    await server.query(lines.replaceAll(':"schema"', schema).replaceAll(":'schema'", `'${schema}'`))
    const open = await server.query(
      `SELECT c.relname FROM pg_class c CROSS JOIN unnest($2::text[]) AS role
       WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v')
         AND ((c.relkind <> 'v' AND NOT c.relrowsecurity) OR has_table_privilege(role, c.oid, 'SELECT'))`,
      [schema, ROLES],
    )
    expect(open, file).toEqual([])
  }
})

/** The SQLSTATE that a role gets; nothing of it stays. */
async function codeOf(role: string, sql: string): Promise<string> {
  try {
    // One message of the simple protocol is one transaction, and one on whichever connection it takes.
    await server.query(`BEGIN; SET LOCAL ROLE ${role}; ${sql}; ROLLBACK`)
    return 'allowed'
  } catch (error) {
    await server.query('ROLLBACK')
    return (error as { code: string }).code
  }
}
