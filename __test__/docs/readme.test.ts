import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { runNode } from '../../scripts/setup/process.mjs'
import { createDatabase } from '../support/database.js'
import { readDocument, section, writeFiles } from './documents.js'

/**
 * Inside the package, so that its name leads to its bundle. What comes before the worker is run from the packed
 * tarball, by `scripts/pack-check.mjs`.
 */
const folder = at('target', 'test', 'readme')
const database = await createDatabase()
const secret = 'sixteen characters or more'

function writeQuickStart(): void {
  rmSync(folder, { recursive: true, force: true })
  writeFiles(section(readDocument('README.md'), 'Quick start'), folder)
}

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { SYMPHONY_DATABASE_URL: database.url, CRON_SECRET: undefined, ...extra }
}

/** Runs a program in the folder, and gives what it printed. */
function node(program: string, extra?: Record<string, string>): Promise<string> {
  return runNode(program, [], { cwd: folder, env: environment(extra) })
}

/** Calls routes as Next.js does, and prints the status and body of each answer. */
const CALLS = `
  const { POST } = await import('./app/api/sign-up/route.mjs')
  const { GET } = await import('./app/api/cron/symphony-worker/route.mjs')
  const cron = (authorization) => GET(new Request('http://localhost/', { headers: authorization && { authorization } }))
  const body = JSON.stringify({ email: 'grace@example.com' })
  const answers = [
    await POST(new Request('http://localhost/', { method: 'POST', body })),
    await cron(),
    await cron('Bearer wrong'),
    await cron('Bearer undefined'),
    await cron(process.env.CRON_SECRET && 'Bearer ' + process.env.CRON_SECRET),
  ]
  for (const answer of answers) console.log(JSON.stringify([answer.status, await answer.text()]))
`

test('the worker of the quick start handles what comes and ends at SIGTERM', async () => {
  writeQuickStart()
  await node('migrate.mjs')
  const worker = execa(process.execPath, ['worker.mjs'], { cwd: folder, env: environment(), reject: false })
  onTestFinished(() => void worker.kill('SIGKILL'))
  expect(await node('dispatch.mjs')).toBe('queued\n')
  const [printed] = await once(worker.stdout, 'data')
  expect(String(printed)).toBe('mail to ada@example.com, run 2\n')
  worker.kill('SIGTERM')
  const { exitCode, stdout } = await worker
  expect({ exitCode, last: stdout.split('\n').at(-1) }).toEqual({ exitCode: 0, last: 'stopped after 1 messages' })
})

test('the routes of the quick start dispatch, and consume for those who know the secret', async () => {
  writeQuickStart()
  await node('migrate.mjs')
  writeFileSync(join(folder, 'calls.mjs'), CALLS)
  const read = (text: string): Array<[number, string]> =>
    text.split('\n').flatMap((line) => (line.startsWith('[2') || line.startsWith('[4') ? [JSON.parse(line)] : []))

  const closed = read(await node('calls.mjs'))
  expect(closed.map(([status]) => status)).toEqual([202, 401, 401, 401, 401])

  const open = read(await node('calls.mjs', { CRON_SECRET: secret }))
  expect(open.map(([status]) => status)).toEqual([202, 401, 401, 401, 200])
  expect(JSON.parse(open[0]?.[1] ?? '')).toEqual({ messageId: expect.any(String) })
  expect(JSON.parse(open[4]?.[1] ?? '')).toMatchObject({ claimed: 2, retried: 2, stoppedBy: 'empty' })
})
