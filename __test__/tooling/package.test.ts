import { execa } from 'execa'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()

test('the packed package works in an empty project', { timeout: 180_000 }, async () => {
  const env = { SYMPHONY_DATABASE_URL: database.url }
  const { stdout } = await execa(process.execPath, [at('scripts', 'pack-check.mjs')], { env })
  expect(stdout).toMatch(/publint[\s\S]*types wrong[\s\S]*quick start of the README[\s\S]*CommonJS[\s\S]*typings/)
})
