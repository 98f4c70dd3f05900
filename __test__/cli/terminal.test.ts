/** Where output goes, and what it looks like there. */
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { createProject, hasTerminal, PROGRAM } from './support.js'

const database = await createQueue()
const project = createProject({}, { SYMPHONY_DATABASE_URL: database.url })

const ESCAPES = '\x1b['

test('no terminal, no colours: neither in CI nor by a TERM', async () => {
  const { stdout, stderr } = await project.run(['health'], { env: { CI: '1', TERM: 'xterm-256color' } })
  expect(stdout).toContain('✓')
  expect(stdout + stderr).not.toContain(ESCAPES)
})

test('FORCE_COLOR asks for colours, NO_COLOR and --no-color for none', async () => {
  const colored = await project.run(['health'], { env: { FORCE_COLOR: '1' } })
  expect(colored.stdout).toContain(ESCAPES)
  const both = { FORCE_COLOR: '1', NO_COLOR: '1' }
  for (const [words, env] of [
    [['health'], both],
    [['health', '--no-color'], { FORCE_COLOR: '1' }],
    [['stats', 'nope', '--no-color'], { FORCE_COLOR: '1' }],
    [['health'], { FORCE_COLOR: '0' }],
  ] as const) {
    const { stdout, stderr } = await project.run(words, { env })
    expect(stdout + stderr).not.toContain(ESCAPES)
  }
})

test('a reader that has seen enough is not a failure', async () => {
  const command = `'${process.execPath}' '${PROGRAM}' migrate sql; echo "ended with $?" >&2`
  const { stdout, stderr } = await execa('sh', ['-c', `{ ${command}; } | head -n 1`], {
    cwd: project.folder,
    env: project.env,
  })
  expect(stdout).toMatch(/^\\set schema/)
  expect(stderr).toBe('ended with 0')
})

test('the queue in short, and the commands, for who types nothing else', async () => {
  const { stdout, code } = await project.run([])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^waiting +0 due, 0 delayed, 0 running\nlast hour .*\nkept .*\n\nUsage: symphony/)
  const nowhere = await project.run([], { env: { SYMPHONY_DATABASE_URL: undefined } })
  expect(nowhere.code).toBe(0)
  expect(nowhere.stdout).toMatch(/^\nUsage: symphony/)
})

test('--watch looks again and again, a line of JSON each, until it is told to stop', async () => {
  const child = execa(process.execPath, [PROGRAM, 'stats', '--watch', '1', '--json=lines'], {
    cwd: project.folder,
    env: project.env,
    reject: false,
  })
  const looks: unknown[] = []
  for await (const line of child) {
    looks.push(JSON.parse(line))
    if (looks.length === 2) child.kill('SIGINT')
  }
  expect((await child).exitCode).toBe(0)
  expect(looks.length).toBeGreaterThanOrEqual(2)
})

describe.skipIf(!hasTerminal)('a terminal', () => {
  test('has colours, unless NO_COLOR or a dumb one', async () => {
    const TERM = 'xterm'
    expect((await project.runOnTerminal(['health'], { env: { TERM } })).stdout).toContain(ESCAPES)
    expect((await project.runOnTerminal(['health'], { env: { TERM, NO_COLOR: '1' } })).stdout).not.toContain(ESCAPES)
    expect((await project.runOnTerminal(['health'], { env: { TERM: 'dumb' } })).stdout).not.toContain(ESCAPES)
  })
})
