/** The quick start of the README under runtimes other than Node.js. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readQuickStart } from '../../scripts/readme.mjs'
import { servers } from '../../scripts/test/servers.mjs'
import { createDatabase } from '../support/database.js'

const RUNTIMES: Array<[name: string, parameters: string[]]> = [
  ['bun', []],
  ['deno', ['run', '-A']],
]

test.concurrent.each(RUNTIMES)('%s runs the quick start', async (name, parameters) => {
  const database = await createDatabase()
  const folder = join(servers, `quick-start-${name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const { files, commands, output } = readQuickStart()
  for (const file of files) writeFileSync(join(folder, file.name), file.text)
  const runtime = [join(servers, 'node_modules', '.bin', name), ...parameters].join(' ')
  const script = commands.map((command) => command.replace(/^node /, `${runtime} `)).join('\n')
  const env = { SYMPHONY_DATABASE_URL: database.url, NAPI_RS_NATIVE_LIBRARY_PATH: undefined, NODE_ENV: undefined }
  const { stdout } = await execa('bash', ['-ec', script], { cwd: folder, env })
  expect(`${stdout}\n`).toBe(output)
})
