import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'

const script = fileURLToPath(new URL('../../scripts/pack-check.mjs', import.meta.url))
const database = await createDatabase()

test('the packed package works in an empty project', { timeout: 180_000 }, async () => {
  const env = { ...process.env, SYMPHONY_DATABASE_URL: database.url }
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env })
  expect(stdout).toMatch(/quick start of the README[\s\S]*CommonJS[\s\S]*typings/)
})
