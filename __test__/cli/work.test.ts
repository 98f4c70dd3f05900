/** Commands that stay: workers, schedulers, and the rounds of `dev`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dispatch, schedule } from '@leadmap/symphony'
import { getMessage, listMessages } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { createProject, type Project } from './support.js'

const database = await createQueue()

const HANDLERS = `import { registerHandler } from '@leadmap/symphony'
registerHandler('Mail', async (message) => {
  console.error('started ' + message.payload.to)
  if (message.payload.to === 'bob') throw new TypeError('no such mailbox')
  if (message.payload.to === 'slow') await new Promise((resolve) => setTimeout(resolve, 500))
  if (message.payload.to === 'stuck') await new Promise(() => {})
})`

const project = createProject({ 'symphony.handlers.mjs': HANDLERS }, { SYMPHONY_DATABASE_URL: database.url })

beforeEach(() => emptyTables(database, 'messenger_schedules'))

/** Starts a command; resolves `until(text)` once it has printed that, on either stream. */
function start(words: string[], where: Project = project, env: Record<string, string> = {}) {
  const child = where.start(words, env)
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (printed += text))
  return {
    child,
    until: (text: string | RegExp) => expect.poll(() => printed).toMatch(text),
    printed: () => printed,
  }
}

describe('consume', () => {
  test('handles what waits, says what failed, and ends well at the first signal', async () => {
    await dispatch({ type: 'Mail', payload: { to: 'bob' } }, { maxRetries: 0 })
    const { child, until } = start(['messenger:consume'])
    await until('consuming Mail')
    await until(/✗ Mail \S+ dead letter, TypeError: no such mailbox/)
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'slow' } })
    await until('started slow')
    child.kill('SIGINT')
    const { exitCode, stdout } = await child
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^1 handled, 1 dead letters, in .*; stopped by a signal$/m)
    expect((await getMessage(messageId))?.status).toBe('completed')
  })

  test('hands back what runs at a second signal, and exits as that would', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'stuck' } })
    const { child, until } = start(['consume', '-v'])
    await until('started stuck')
    child.kill('SIGTERM')
    await until('stopping')
    child.kill('SIGTERM')
    const ended = await child
    expect(ended.exitCode).toBe(143)
    expect(await getMessage(messageId)).toMatchObject({ status: 'pending', retryCount: 0 })
  })

  test('--drain ends when nothing is due; --json is one document', async () => {
    for (const to of ['ada', 'ada', 'bob']) await dispatch({ type: 'Mail', payload: { to } })
    const { code, stdout } = await project.run(['consume', '--drain', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ succeeded: 2, retried: 1, stoppedBy: 'empty' })
  })

  test('--json=lines is a line per message', async () => {
    const { messageId } = await dispatch({ type: 'Mail', payload: { to: 'ada' } })
    const { stdout } = await project.run(['consume', '-l', '1', '--json=lines'])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { event: 'completed', id: messageId, type: 'Mail' },
      { event: 'stopped', succeeded: 1, stoppedBy: 'messageLimit' },
    ])
  })

  test.each([
    [['-t', '0.2'], 'the time is up'],
    [
      ['--time-limit=100ms', '--all', '--concurrency', '2', '--fetch-size', '3', '--no-listen', '--sleep', '1'],
      'the time is up',
    ],
    [['-m', '1M'], 'the limit of memory is reached'],
    [['-f', '1'], 'the limit of failures is reached'],
  ])('stops as %j says', async (words, reason) => {
    await dispatch({ type: 'Mail', payload: { to: 'bob' } })
    const { code, stdout } = await project.run(['consume', ...words])
    expect(code).toBe(0)
    expect(stdout).toContain(`; ${reason}`)
  })

  test('only the transports that are wanted', async () => {
    for (const words of [['memory'], ['--exclude', 'supabase'], ['--queues', 'other']]) {
      await dispatch({ type: 'Mail', payload: { to: 'ada' } })
      expect((await project.run(['consume', ...words, '--drain'])).stdout).toMatch(/^0 handled/)
    }
    expect((await project.run(['consume', 'nowhere', '--drain'])).code).toBe(4)
  })
})

describe('handlers', () => {
  test('none: says how to name them', async () => {
    const empty = createProject({ 'none.mjs': '' }, { SYMPHONY_DATABASE_URL: database.url })
    const { code, stderr } = await empty.run(['consume'])
    expect(code).toBe(2)
    expect(stderr).toContain('--handlers')
    expect((await empty.run(['consume', '--handlers', 'none.mjs'])).stderr).toContain('registers no handler')
    expect((await empty.run(['consume', '--handlers', 'missing.mjs'])).code).toBe(4)
  })

  test('TypeScript without anything that reads it: names what does', async () => {
    const typed = createProject(
      { 'handlers.ts': 'enum Kind { Mail }\nexport default Kind' },
      { SYMPHONY_DATABASE_URL: database.url },
    )
    const { code, stderr } = await typed.run(['consume', '--handlers', 'handlers.ts'])
    expect(code).toBe(3)
    expect(stderr).toContain('Install tsx or jiti')
  })

  // A tsx and a jiti of our own: what is tested is how they are found and asked.
  test('tsx is found and registered, jiti is asked with the aliases of tsconfig.json', async () => {
    const typed = createProject(
      {
        'tsconfig.json': '{ // as create-next-app makes it\n "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      },
      { SYMPHONY_DATABASE_URL: database.url },
    )
    typed.write('handlers.ts', '')
    typed.write(
      'node_modules/jiti/package.json',
      '{ "exports": { ".": { "import": { "default": "./jiti.mjs" } }, "./package.json": "./package.json" } }',
    )
    typed.write(
      'node_modules/jiti/jiti.mjs',
      `import { registerHandler } from '@leadmap/symphony'
      export const createJiti = (from, { alias }) => ({ import: async (path) => {
        registerHandler('ByJiti', () => {})
        console.error(JSON.stringify({ path, alias }))
        return {}
      } })`,
    )
    const byJiti = await typed.run(['debug', '--handlers', 'handlers.ts'])
    expect(byJiti.stdout).toMatch(/^ByJiti /m)
    expect(byJiti.stderr).toMatch(/"alias":\{"@":"[^"]*\/src\/?"\}/)

    typed.write(
      'node_modules/tsx/package.json',
      '{ "exports": { "./esm/api": { "import": "./esm.mjs" }, "./cjs/api": "./cjs.cjs", "./package.json": "./package.json" } }',
    )
    typed.write('node_modules/tsx/esm.mjs', "export const register = () => console.error('esm registered')")
    typed.write('node_modules/tsx/cjs.cjs', "exports.register = () => console.error('cjs registered')")
    typed.write(
      'handlers.mjs',
      "import { registerHandler } from '@leadmap/symphony'\nregisterHandler('ByTsx', () => {})",
    )
    const byTsx = await typed.run(['debug', '--handlers', 'handlers.mjs'])
    expect(byTsx.stderr).toMatch(/esm registered\ncjs registered/)
    expect(byTsx.stdout).toMatch(/^ByTsx /m)
  })
})

test('scheduler dispatches what is due until it is stopped', async () => {
  await schedule({ type: 'Mail', payload: { to: 'ada' } }, { at: Date.now() - 1_000 }, { name: 'due' })
  const { child, until } = start(['scheduler'])
  await until(/→ due \S+ queued in supabase/)
  child.kill('SIGINT')
  expect((await child).exitCode).toBe(0)
  expect((await listMessages()).messages).toHaveLength(1)
})

test('work does both', async () => {
  await schedule({ type: 'Mail', payload: { to: 'ada' } }, { at: Date.now() - 1_000 }, { name: 'due' })
  const { child, until } = start(['work', '-v'])
  await until(/✓ Mail/)
  child.kill('SIGTERM')
  const { exitCode, stdout } = await child
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/→ due [\s\S]*^1 handled, in .*; stopped by a signal$/m)
})

describe('dev', () => {
  const ROUTES = {
    'app/api/(cron)/worker/route.ts': 'export const { GET } = createWorkerRoute({ maxDuration: 60 })',
    'src/app/api/scheduler/route.js': 'export const { GET } = createSchedulerRoute()',
    'pages/api/tick.ts': 'const route = createWorkerRoute()',
    'app/api/[any]/route.ts': 'createWorkerRoute()',
    'app/api/mail/route.ts': 'export function GET() {}',
  }

  test('calls the routes that it finds, with the secret, and prints what happened', async () => {
    const app = createProject({ ...ROUTES, '.env.local': 'CRON_SECRET=of-the-file\n' })
    const calls: string[] = []
    let secret = 'another'
    const server = createServer((request, response) => {
      const isAllowed = request.headers.authorization === `Bearer ${secret}`
      calls.push(String(request.url))
      response.writeHead(isAllowed ? 200 : 401)
      response.end(JSON.stringify(request.url === '/api/scheduler' ? { dispatched: 2 } : { succeeded: 3, retried: 1 }))
    })
    await new Promise<void>((resolve) => server.listen(0, resolve))
    onTestFinished(() => void server.close())
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`
    const { child, until, printed } = start(['dev', '--url', url, '--every', '20ms', '--path', '/more'], app)
    await until('/api/worker answers 401: CRON_SECRET')
    await expect.poll(() => calls.filter((path) => path === '/api/worker').length).toBeGreaterThan(2)
    expect(printed().match(/\/api\/worker answers 401/g)).toHaveLength(1)
    secret = 'of-the-file'
    await until(/✓ worker 3 handled, 1 to be retried/)
    await until(/✓ scheduler 2 dispatched/)
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(0)
    expect([...new Set(calls)].sort()).toEqual(['/api/scheduler', '/api/tick', '/api/worker', '/more'])
    expect(printed()).not.toContain('of-the-file')
  })

  test('no route, or no server, says so', async () => {
    expect((await project.run(['dev'])).code).toBe(4)
    const app = createProject(ROUTES)
    const { child, until } = start(['dev', '--url', 'http://127.0.0.1:1'], app)
    await until('does not answer at http://127.0.0.1:1')
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(0)
  })
})

test('init shows what it would write, and writes after a yes; a second time there is nothing to do', async () => {
  const app = createProject({
    'app/page.tsx': '',
    'next.config.mjs': 'const config = {}\nexport default config\n',
    'tsconfig.json': '{}',
  })
  const asked = await app.run(['init'])
  expect(asked.code).toBe(5)
  expect(asked.stdout).toContain('+ export default withSymphony(config)')
  expect(asked.stdout).toMatch(/^\+ CRON_SECRET=…$/m)
  expect((await app.run(['init', '--dry-run'])).stderr).toContain('nothing was done')
  expect((await app.run(['dev'])).code).toBe(4)
  expect((await app.run(['init', '--yes'])).code).toBe(0)
  expect((await app.run(['init'])).stderr).toContain('everything is there already')
  const { child, until } = start(['dev', '--url', 'http://127.0.0.1:1'], app)
  await until('/api/cron/symphony-scheduler · /api/cron/symphony-worker')
  child.kill('SIGINT')
  await child
})
