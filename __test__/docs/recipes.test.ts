/** Every recipe runs as it stands in the document, on a real Postgres. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { consumeBatch, createSymphony, dispatch, dispatchBatch } from '@leadmap/symphony'
import { execa } from 'execa'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { at, root } from '../../scripts/setup/paths.mjs'
import { createDatabase } from '../support/database.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { readDocument, section, writeFiles } from './documents.js'

const text = readDocument('docs/recipes.md')
const application = fileURLToPath(new URL('./application/', import.meta.url))

const database = await createQueue()
beforeEach(() => emptyTables(database, 'messenger_workers'))

/** The files of a recipe in a folder of their own, with the code that they suppose to be there. */
function write(heading: string): string {
  const folder = at('target', 'test', 'recipes', heading.toLowerCase().replaceAll(' ', '-'))
  rmSync(folder, { recursive: true, force: true })
  cpSync(application, folder, { recursive: true })
  writeFiles(section(text, heading), folder)
  return folder
}

/** A module of a recipe, in this process. One after the other: at the same time, what they share is loaded twice. */
// biome-ignore lint/suspicious/noExplicitAny: each test says what it expects; the document is type-checked elsewhere.
const load = (folder: string, file: string): Promise<any> => import(join(folder, file))

/** A program of a recipe, as users run it; what it prints, line by line. */
function start(folder: string, parameters: string[], env: Record<string, string> = {}) {
  const variables = { SYMPHONY_DATABASE_URL: database.url, ...env }
  const program = execa(process.execPath, parameters, {
    cwd: folder,
    env: variables,
    reject: false,
    forceKillAfterDelay: false,
  })
  onTestFinished(async () => {
    program.kill('SIGKILL')
    await program
  })
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
  return { program, next: async () => (await lines.next()).value }
}

/** How many messages there are, by status. */
async function statuses(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of await storedMessages(database)) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Lets time pass until everything is due, and handles it. */
async function handleLater(): Promise<void> {
  const soon = `UPDATE symphony.messenger_messages SET available_at = now() WHERE status = 'pending'`
  await database.query(soon)
  await expect.poll(async () => (await consumeBatch()) && (await statuses()).pending).toBeUndefined()
}

test('Debounce', async () => {
  const folder = write('Debounce')
  const { documentChanged } = await load(folder, 'reindex.ts')
  const { versions, indexed } = await load(folder, 'documents.ts')
  for (const version of [1, 2, 3]) {
    versions.set('d1', version)
    await documentChanged('d1', version)
  }
  expect(await consumeBatch()).toMatchObject({ claimed: 0 })
  await handleLater()
  expect(indexed).toEqual(['d1'])
  expect(await statuses()).toEqual({ completed: 1, discarded: 2 })
})

test('Drip', async () => {
  const folder = write('Drip')
  const { enroll } = await load(folder, 'onboarding.ts')
  const { sent, unsubscribed } = await load(folder, 'mail.ts')
  await enroll('ada@example.com')
  await enroll('ada@example.com')
  const due = (await storedMessages(database)).map(({ available_at }) => available_at.getTime())
  expect(due.map((time) => Math.round((time - (due[0] ?? 0)) / 86_400_000))).toEqual([0, 3, 10])
  await consumeBatch()
  expect(sent).toEqual(['ada@example.com: Welcome'])
  unsubscribed.add('ada@example.com')
  await handleLater()
  expect(sent).toHaveLength(1)
  expect(await statuses()).toEqual({ completed: 1, discarded: 2 })
})

test('Batch collector', async () => {
  const folder = write('Batch collector')
  const { drainPageViews } = await load(folder, 'page-views.ts')
  const { insertions, failures } = await load(folder, 'warehouse.ts')
  const views = Array.from({ length: 200 }, (_, n) => ({ type: 'PageViewed', payload: { n } }))
  await dispatchBatch(views)
  expect(await drainPageViews()).toMatchObject({ succeeded: 200 })
  expect(insertions.flat()).toHaveLength(200)
  expect(insertions.length).toBeLessThan(20)

  failures.push(new Error('the warehouse is away'))
  await dispatchBatch(views.slice(0, 10))
  expect((await drainPageViews()).retried).toBeGreaterThan(0)
  await handleLater()
  expect(insertions.flat()).toHaveLength(210)
})

test('Cancel a campaign', async () => {
  const folder = write('Cancel a campaign')
  const { cancelCampaign } = await load(folder, 'campaign-mail.ts')
  const { sent } = await load(folder, 'mail.ts')
  const mail = (campaignId: string) => ({
    type: 'CampaignMail',
    payload: { campaignId, to: `${campaignId}@example.com` },
  })
  await dispatchBatch(Array(250).fill(mail('autumn')), { delay: '1h' })
  await dispatchBatch([mail('winter'), mail('winter')], { delay: '1h' })
  expect(await cancelCampaign('autumn')).toBe(250)
  expect(await statuses()).toEqual({ cancelled: 250, pending: 2 })

  await dispatch(mail('autumn'))
  await handleLater()
  expect(sent).toEqual(['winter@example.com', 'winter@example.com'])
  expect(await statuses()).toEqual({ cancelled: 250, completed: 2, discarded: 1 })
})

test('A worker inside Next.js', async () => {
  const folder = write('A worker inside Next.js')
  // Next.js keeps the process alive by its port.
  const server = `
    require('node:http').createServer().listen(0)
    import('./instrumentation.mjs').then(({ register }) => register()).then(() => console.log('registered'))
  `
  const edge = start(folder, ['--eval', server], { NEXT_RUNTIME: 'edge' })
  expect(await edge.next()).toBe('registered')
  const { program, next } = start(folder, ['--eval', server], { NEXT_RUNTIME: 'nodejs' })
  expect(await next()).toBe('registered')
  await dispatch({ type: 'OrderPlaced', payload: {} })
  await expect.poll(statuses).toEqual({ completed: 1 })
  program.kill('SIGTERM')
  expect(await program).toMatchObject({ exitCode: 0, stderr: '' })
})

test('Handle it right after the response', async () => {
  const folder = write('Handle it right after the response')
  const next = join(folder, 'node_modules', 'next')
  mkdirSync(next, { recursive: true })
  writeFileSync(join(next, 'package.json'), '{ "name": "next", "exports": { "./server": "./server.mjs" } }')
  writeFileSync(join(next, 'server.mjs'), 'export const tasks = []; export const after = (task) => tasks.push(task)')

  const { POST } = await load(folder, 'app/api/orders/route.ts')
  const answer = await POST(new Request('http://localhost/', { method: 'POST', body: '{ "id": "o1" }' }))
  expect([answer.status, await answer.json()]).toEqual([202, { messageId: expect.any(String) }])
  expect(await statuses()).toEqual({ pending: 1 })
  const { tasks } = await load(next, 'server.mjs')
  for (const task of tasks) await task()
  expect(await statuses()).toEqual({ completed: 1 })
})

test('One worker per database', async () => {
  const folder = write('One worker per database')
  const [acme, initech] = [await createDatabase(), await createDatabase()]
  for (const [{ url }, month] of [
    [acme, '2026-11'],
    [initech, '2026-12'],
  ] as const) {
    const symphony = createSymphony({ databaseUrl: url })
    await symphony.migrate()
    await symphony.dispatch({ type: 'MonthlyReport', payload: { month } })
    await symphony.close()
  }
  const { program, next } = start(folder, ['workers.mjs'], {
    ACME_DATABASE_URL: acme.url,
    INITECH_DATABASE_URL: initech.url,
  })
  expect([await next(), await next()].sort()).toEqual(['acme 2026-11', 'initech 2026-12'])
  program.kill('SIGTERM')
  expect(await program).toMatchObject({ exitCode: 0, stderr: '' })
})

test('Two queues', async () => {
  const folder = write('Two queues')
  // The report is done when the mail is: behind the report, the mail would wait for ever.
  writeFileSync(
    join(folder, 'handlers.mjs'),
    `import { registerHandler } from '@leadmap/symphony'
     let placed
     const order = new Promise((resolve) => { placed = resolve })
     registerHandler('MonthlyReport', async () => { console.log('report'); await order; console.log('report done') })
     registerHandler('OrderPlaced', () => { console.log('mail'); placed() })`,
  )
  const { monthClosed, orderPlaced } = await load(folder, 'orders.ts')
  await monthClosed('2026-11')
  const { program, next } = start(folder, ['two-workers.mjs'])
  expect(await next()).toBe('report')
  await orderPlaced('o1')
  expect([await next(), await next()]).toEqual(['mail', 'report done'])
  await expect.poll(statuses).toEqual({ completed: 2 })
  program.kill('SIGTERM')
  expect(await program).toMatchObject({ exitCode: 0, stderr: '' })
})

describe('Graceful deploys', () => {
  async function deployAtWork(folder: string) {
    const { program, next } = start(folder, ['worker.mjs'])
    await dispatch({ type: 'Export', payload: { pages: [1, 2] } })
    expect(await next()).toBe('page 1')
    program.kill('SIGTERM')
    return { program, next }
  }

  test('what runs is finished', async () => {
    const { program, next } = await deployAtWork(write('Graceful deploys'))
    program.stdin.write('done\n')
    expect(await next()).toBe('page 2')
    program.stdin.write('done\n')
    expect(await next()).toBe('stopped by signal, handed back: 0')
    expect(await program).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await statuses()).toEqual({ completed: 1 })
  })

  test('what does not end in time is handed back', async () => {
    const folder = write('Graceful deploys')
    const file = join(folder, 'worker.mjs')
    writeFileSync(file, readFileSync(file, 'utf8').replace(`'20s'`, `'100ms'`))
    const { program, next } = await deployAtWork(folder)
    expect(await next()).toBe('stopped by signal, handed back: 1')
    expect(await program).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await storedMessages(database)).toMatchObject([{ status: 'pending', retry_count: 0 }])
  })
})

test('Testing with Vitest', async () => {
  const folder = write('Testing with Vitest and Jest')
  mkdirSync(join(folder, 'node_modules', '@leadmap'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules', '@leadmap', 'symphony'), 'junction')
  // As in vitest.config.mts: the addon under test is for the tests, not for the bundler of the runner.
  const { NAPI_RS_NATIVE_LIBRARY_PATH: addon } = process.env
  const config = { test: { env: addon ? { NAPI_RS_NATIVE_LIBRARY_PATH: addon } : {} } }
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}`)
  const parameters = [at('node_modules/vitest/vitest.mjs'), 'run', '--root', folder, 'sign-up.test.ts']
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: undefined }
  expect((await execa(process.execPath, parameters, { env })).stdout).toMatch(/Tests .*1 passed/)
})
