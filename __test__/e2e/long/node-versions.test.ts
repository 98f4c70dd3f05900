/** The quick start of the README, from the tarball, with each version of Node.js that is supported. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readQuickStart } from '../../../scripts/readme.mjs'
import { npm } from '../../../scripts/setup/dependencies.mjs'
import { at } from '../../../scripts/setup/paths.mjs'
import { nodeOf } from '../../../scripts/test/tools.mjs'
import { createDatabase } from '../../support/database.js'
import { packed } from './packed.js'

test.each([20, 22, 24])('Node.js %i runs the quick start', async (major) => {
  const database = await createDatabase()
  const folder = at('target', 'test', `node-${major}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await npm(['install', '--offline', '--no-audit', '--no-fund', ...packed()], { cwd: folder })
  const { files, commands, output } = readQuickStart()
  for (const { name, text } of files) writeFileSync(join(folder, name), text)
  const script = commands.map((command) => command.replace(/^node /, `${nodeOf(major)} `)).join('\n')
  const env = { SYMPHONY_DATABASE_URL: database.url, NAPI_RS_NATIVE_LIBRARY_PATH: undefined, NODE_ENV: undefined }
  expect((await execa(nodeOf(major), ['--version'])).stdout).toMatch(new RegExp(`^v${major}\\.`))
  expect(`${(await execa('bash', ['-ec', script], { cwd: folder, env })).stdout}\n`).toBe(output)
})
