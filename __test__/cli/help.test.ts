import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundled } from '../../scripts/setup/cli-bundle.mjs'
import { at } from '../../scripts/setup/paths.mjs'
import { createProject } from './support.js'

const project = createProject()

/** An addon that cannot be loaded: who tries it, fails. */
const NO_ADDON = { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/symphony.node' }

/** Paths of all commands, as the shells complete them. */
async function commands(path: readonly string[] = []): Promise<string[][]> {
  const { stdout } = await project.run(['complete', '--', ...path, ''])
  // Commands say what they do; what an argument may be does not.
  const inner = [...stdout.matchAll(/^([a-z][\w-]*)\t\S/gm)].map(([, name = '']) => [...path, name])
  const found = await Promise.all(inner.map(async (one) => [one, ...(await commands(one))]))
  return found.flat()
}

test('the help of every command, without the addon', async () => {
  const all = [[], ...(await commands())]
  const helps = await Promise.all(
    all.map(async (path) => {
      const { stdout, stderr, code } = await project.run([...path, '--help'], { env: { ...NO_ADDON, COLUMNS: '100' } })
      expect({ path, stderr, code }).toEqual({ path, stderr: '', code: 0 })
      return `$ ${['symphony', ...path, '--help'].join(' ')}\n${stdout}`
    }),
  )
  expect(helps.length).toBeGreaterThan(15)
  await expect(helps.join('\n')).toMatchFileSnapshot('help.txt')
})

test('a command that needs the addon says that there is none', async () => {
  const { stdout, stderr, code } = await project.run(['config'], { env: NO_ADDON })
  expect({ stdout, code }).toEqual({ stdout: '', code: 3 })
  expect(stderr).toContain('SYMPHONY_UNSUPPORTED_PLATFORM')
})

test('the version is that of the package', async () => {
  const { stdout, code } = await project.run(['--version'])
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(code).toBe(0)
})

test.each([
  [['stat'], 'unknown command stat; did you mean stats?'],
  [['stats', '--wach'], "unknown option '--wach'\n(Did you mean --watch?)"],
  [['list', '--limit', 'many'], "argument 'many' is invalid. Wants a whole number from 1."],
  [['list', '--status', 'done'], 'Allowed choices are pending, processing, completed, discarded, cancelled.'],
  [['stats', '--fail-over', 'speed=1'], 'Wants one of pending, delayed, running, failed, oldest'],
  [['metrics', '--since', '31 June'], "Wants '2h' for two hours ago"],
])('%j is wrong usage: 2, on stderr', async (words, problem) => {
  const { stdout, stderr, code } = await project.run(words)
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
  expect(stderr).toContain(problem)
  expect(stderr).toMatch(/^✗ /)
})

test('the licence of every library in the bundle lies beside it, and no library is needed at run time', () => {
  const titles = [
    ...readFileSync(at('dist', 'cli-licenses.txt'), 'utf8').matchAll(/^(\S+) \d+\.\d+\.\d+ \((MIT|ISC)\)$/gm),
  ]
  expect(titles.map(([, name]) => name).sort()).toEqual([...bundled].sort())
  expect(JSON.parse(readFileSync(at('package.json'), 'utf8')).dependencies).toBeUndefined()
})
