import { readdirSync } from 'node:fs'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { createDatabase } from '../support/database.js'
import { createProject } from './support.js'

const database = await createDatabase()
const project = createProject({}, { SYMPHONY_DATABASE_URL: database.url })

const files = readdirSync(at('migrations')).filter((name) => name.endsWith('.up.sql'))

async function tables(schema: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name LIKE 'messenger%'",
    [schema],
  )
  return rows.map(({ name }) => name).sort()
}

test('says what it would do, does it, and finds nothing to do', async () => {
  const planned = await project.run(['migrate', '--dry-run'])
  expect(planned.stdout).toMatch(/^✓ 0001 messages would be applied\n/)
  expect(await tables('symphony')).toEqual([])

  const { version: before, pending } = JSON.parse((await project.run(['migrate', 'status', '--json'])).stdout)
  expect({ before, first: pending[0] }).toEqual({ before: 0, first: { version: 1, name: 'messages' } })

  const done = await project.run(['messenger:setup-transports'])
  expect(done).toMatchObject({ code: 0 })
  expect(done.stdout).toMatch(/^✓ 0001 messages applied\n[\s\S]*^tables at version \d+$/m)
  expect(await tables('symphony')).toContain('messenger_messages')
  expect((await project.run(['migrate'])).stdout).toMatch(/^nothing to do: tables at version \d+\n$/)
})

test('into another schema, and past a direct URL that leads elsewhere', async () => {
  const env = { SYMPHONY_DIRECT_URL: 'postgres://127.0.0.1:1/elsewhere' }
  const { code } = await project.run(['migrate', '--schema', 'other', '--database-url', database.url], { env })
  expect(code).toBe(0)
  expect(await tables('other')).toContain('messenger_messages')
})

test('as SQL: each file, in a transaction of its own, without a database', async () => {
  const env = { SYMPHONY_DATABASE_URL: undefined }
  const { stdout, code } = await project.run(['migrate', 'sql', '--schema', 'by_hand'], { env })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\\set schema by_hand\n/)
  expect(stdout.match(/^-- \d{4}_\w+\.up\.sql\nBEGIN;$/gm)).toHaveLength(files.length)
  const down = await project.run(['migrate', 'sql', '--from', '2', '--to', '4', '--down'], { env })
  expect([...down.stdout.matchAll(/^-- (\d{4})_\w+\.down\.sql$/gm)].map(([, version]) => version)).toEqual([
    '0004',
    '0003',
  ])
  expect((await project.run(['migrate', 'sql', '--from', '999'])).code).toBe(4)
})

const psql = (await execa('psql', ['--version'], { reject: false })).failed ? undefined : 'psql'

test.skipIf(psql === undefined)('psql takes it', async () => {
  const { stdout } = await project.run(['migrate', 'sql', '--schema', 'by_hand'])
  await execa('psql', ['-q', '-v', 'ON_ERROR_STOP=1', database.directUrl], { input: stdout })
  expect(await tables('by_hand')).toEqual(await tables('symphony'))
})
