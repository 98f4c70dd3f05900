import { once } from 'node:events'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()

test('the demo accounts for every message and leaves nothing behind', { timeout: 90_000 }, async () => {
  const { exitCode, stdout } = await startDemo()
  expect(exitCode).toBe(0)
  expect(stdout).toContain('every message is accounted for')
  expect(stdout).toMatch(/lost +0 +0\n/)
  expect(await demoSchemas()).toEqual([])
})

test('an interrupted demo ends at once and leaves nothing behind', async () => {
  const demo = startDemo()
  await once(demo.stdout, 'data')
  demo.kill('SIGINT')
  const { exitCode, stdout } = await demo
  expect(exitCode).toBe(130)
  expect(stdout).not.toContain('accounted for')
  expect(await demoSchemas()).toEqual([])
})

function startDemo() {
  const env = { SYMPHONY_DATABASE_URL: database.url }
  return execa(process.execPath, [at('examples/demo/main.mjs')], { env, stderr: 'inherit', reject: false })
}

async function demoSchemas() {
  const rows = await database.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'symphony_demo%'`)
  return rows.map((row) => row.nspname)
}
