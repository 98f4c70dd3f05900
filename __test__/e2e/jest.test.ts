import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { servers } from '../../scripts/test/servers.mjs'
import { readDocument, section, writeFiles } from '../docs/documents.js'

/** As an application has it that has installed the package and Jest. */
const folder = join(servers, 'tests')

test('the recipe for tests runs in Jest, with nothing but the import changed', async () => {
  const recipe = section(readDocument('docs/recipes.md'), 'Testing with Vitest and Jest')
  const mail = readDocument('__test__/docs/application/mail.ts')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const jest = recipe.replace(`from 'vitest'`, `from '@jest/globals'`)
  writeFiles(`${jest}\n\`\`\`ts\n// mail.ts\n${mail}\`\`\`\n`, folder, ts.ModuleKind.CommonJS)
  const config = { transform: {}, testMatch: ['**/*.test.cjs'], rootDir: folder }
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config))

  const program = join(servers, 'node_modules', 'jest', 'bin', 'jest.js')
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: undefined, SYMPHONY_TEST_ADDON: undefined }
  const { stderr } = await execa(process.execPath, [program, '--config', join(folder, 'jest.config.json')], { env })
  expect(stderr).toMatch(/Tests: +1 passed, 1 total/)
})
