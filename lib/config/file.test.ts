import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '../config.js'
import { ConfigurationError } from '../index.js'
import { freshProcess } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)
afterEach(() => {
  vi.restoreAllMocks()
})

describe('the configuration file', () => {
  const folder = (): string => mkdtempSync(join(tmpdir(), 'symphony-config-'))
  const file = (name: string, text: string, directory = folder()): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }

  test.each([
    ['a.mjs', 'export default { defaultQueue: "loaded" }'],
    ['b.mjs', 'export const symphonyConfig = { defaultQueue: "loaded" }'],
    ['c.mjs', 'export const config = { defaultQueue: "loaded" }'],
    ['d.cjs', 'module.exports = { defaultQueue: "loaded" }'],
    ['e.cjs', 'module.exports.symphonyConfig = { defaultQueue: "loaded" }'],
    ['f.cjs', 'module.exports = { __esModule: true, default: { defaultQueue: "loaded" } }'],
    ['g.json', '{"defaultQueue":"loaded"}'],
  ])('%s', async (name, text) => {
    expect((await loadConfig(file(name, text))).defaultQueue).toBe('loaded')
  })

  test('is found in the working directory; without one nothing changes', async () => {
    const directory = folder()
    vi.spyOn(process, 'cwd').mockReturnValue(directory)
    expect((await loadConfig()).defaultQueue).toBe('default')
    file('symphony.config.json', '{"defaultQueue":"found"}', directory)
    expect((await loadConfig()).defaultQueue).toBe('found')
  })

  test.each([
    ['x.json', '{', 'is not JSON'],
    ['x.json', '[]', 'exports no configuration'],
    ['x.mjs', 'export const other = 1', 'exports no configuration'],
    ['x.mjs', 'throw new Error("inside")', 'cannot be loaded: inside'],
    ['x.mjs', 'export default { defaultPriority: 11 }', 'defaultPriority: got 11'],
  ])('a bad one is refused: %s %s', async (name, text, problem) => {
    const error = await loadConfig(file(name, text)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toContain(problem)
  })

  test('a missing one is, too', async () => {
    await expect(loadConfig('/nowhere/symphony.config.mjs')).rejects.toThrow('does not exist')
  })
})
