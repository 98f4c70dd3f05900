import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()

test('the demo accounts for every message and leaves nothing behind', { timeout: 90_000 }, async () => {
  const demo = startDemo()
  expect(await demo.ended).toBe(0)
  expect(demo.output()).toContain('every message is accounted for')
  expect(demo.output()).toMatch(/lost +0 +0\n/)
  expect(await demoSchemas()).toEqual([])
})

test('an interrupted demo ends at once and leaves nothing behind', async () => {
  const demo = startDemo()
  await once(demo.process.stdout, 'data')
  demo.process.kill('SIGINT')
  expect(await demo.ended).toBe(130)
  expect(demo.output()).not.toContain('accounted for')
  expect(await demoSchemas()).toEqual([])
})

function startDemo() {
  const file = fileURLToPath(new URL('../../examples/demo/main.mjs', import.meta.url))
  const env = { ...process.env, SYMPHONY_DATABASE_URL: database.url }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number)
  return { process: child, output: () => text, ended }
}

async function demoSchemas() {
  const rows = await database.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'symphony_demo%'`)
  return rows.map((row) => row.nspname)
}
