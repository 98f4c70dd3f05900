import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { migrate, setConfig } from '@leadmap/symphony'
import { expect, onTestFinished, test } from 'vitest'
import { servers } from '../../scripts/test/servers.mjs'
import { createDatabase } from '../support/database.js'
import { checkMounted } from './support/mounted.js'

const database = await createDatabase()
setConfig({ database: { url: database.url } })
await migrate()

const PROGRAMS: Array<[program: string, runner?: string[]]> = [
  ['node-http'],
  ['express4'],
  ['express4-json'],
  ['express5'],
  ['express5-json'],
  ['fastify4'],
  ['fastify5'],
  ['koa'],
  ['nest.mjs'],
  ['nest.cjs'],
  ['hono'],
  ['h3-1'],
  ['h3-2'],
  ['react-router'],
  ['elysia', ['bun']],
  ['bun', ['bun']],
  ['deno', ['deno', 'run', '-A']],
]

/** Starts a server of `__test__/e2e/servers/`, as an application that has installed the package; what it says, in order. */
function start(program: string, [runner, ...parameters]: string[] = [], options: string[] = []) {
  const command = runner === undefined ? process.execPath : join(servers, 'node_modules', '.bin', runner)
  const env = { ...process.env, SYMPHONY_DATABASE_URL: database.url, NAPI_RS_NATIVE_LIBRARY_PATH: undefined }
  const file = program.includes('.') ? program : `${program}.mjs`
  const child = spawn(command, [...parameters, file, ...options], { cwd: servers, env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${program} ended: ${errors}`)
    return JSON.parse(value)
  }
  return { child, next }
}

test.each(PROGRAMS)('%s dispatches, drains, and answers 401, 200 and 404', async (program, runner) => {
  const { next } = start(program, runner)
  const { port } = await next()
  await checkMounted(port, program, next)
})

test.each([
  ['nest.mjs', 'with its hooks', ['--worker'], [null, 'SIGTERM']],
  ['nest.cjs', 'with its hooks', ['--worker'], [null, 'SIGTERM']],
  ['nest.mjs', 'without its hooks', ['--worker', '--without-hooks'], [143, null]],
])('%s %s finishes what its worker runs before a signal ends it', async (program, _, options, end) => {
  const { child, next } = start(program, [], options)
  expect([await next(), await next()]).toEqual(expect.arrayContaining([{ started: 1 }, { port: expect.any(Number) }]))
  child.kill('SIGTERM')
  child.stdin.write('finish')
  expect(await next()).toEqual({ finished: 1 })
  expect(await once(child, 'exit')).toEqual(end)
  const waiting = await database.query("SELECT 1 FROM symphony.messenger_messages WHERE status <> 'completed'")
  expect(waiting).toEqual([])
})
