import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, getConfig, resetConfig } from '@leadmap/symphony'
import { defineConfig, loadConfig } from '@leadmap/symphony/config'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { runProgram } from '../support/programs.js'

const home = process.cwd()
const folder = await mkdtemp(join(tmpdir(), 'symphony-config-'))
afterAll(async () => {
  process.chdir(home)
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => resetConfig())

let count = 0

/** A folder of its own, with one file in it. */
async function folderWith(name: string, text: string): Promise<{ directory: string; file: string }> {
  const directory = await mkdtemp(join(folder, `${count++}-`))
  const file = join(directory, name)
  await writeFile(file, text)
  return { directory, file }
}

const FORMS: Array<[name: string, text: string]> = [
  ['symphony.config.mjs', 'export default { defaultPriority: 8 }'],
  ['symphony.config.mjs', 'export const symphonyConfig = { defaultPriority: 8 }'],
  ['symphony.config.mjs', 'export const config = { defaultPriority: 8 }'],
  ['symphony.config.cjs', 'module.exports = { defaultPriority: 8 }'],
  ['symphony.config.cjs', 'exports.symphonyConfig = { defaultPriority: 8 }'],
  ['symphony.config.js', 'module.exports = { default: { defaultPriority: 8 } }'],
  ['symphony.config.json', '{ "defaultPriority": 8 }'],
]

describe('loadConfig()', () => {
  test.each(FORMS)('takes %s: %s', async (name, text) => {
    const { file } = await folderWith(name, text)
    expect(await loadConfig(file)).toMatchObject({ defaultPriority: 8 })
    expect(getConfig().defaultPriority).toBe(8)
  })

  test('finds the file in the working directory, and is content without one', async () => {
    const { directory } = await folderWith('symphony.config.mjs', 'export default { defaultPriority: 9 }')
    process.chdir(directory)
    expect(await loadConfig()).toMatchObject({ defaultPriority: 9 })
    resetConfig()
    process.chdir(folder)
    expect(await loadConfig()).toMatchObject({ defaultPriority: 5 })
  })

  test('keeps what was set before and is not in the file', async () => {
    const { file } = await folderWith('symphony.config.json', '{ "routing": { "A": "postgres" } }')
    const { file: second } = await folderWith('symphony.config.json', '{ "routing": { "B": ["sync"] } }')
    await loadConfig(file)
    expect(await loadConfig(second)).toMatchObject({ routing: { A: ['postgres'], B: ['sync'] } })
  })

  test.each([
    ['is missing', 'other.mjs', '', /does not exist/],
    ['cannot be parsed', 'symphony.config.mjs', 'export default {', /cannot be loaded/],
    ['throws', 'symphony.config.mjs', "throw new Error('broken')", /cannot be loaded: broken/],
    ['is not JSON', 'symphony.config.json', '{ defaultPriority: 8 }', /is not JSON/],
    ['exports nothing', 'symphony.config.mjs', 'export const other = 1', /exports no configuration.*symphonyConfig/],
    ['exports a list', 'symphony.config.json', '[]', /exports no configuration/],
    ['is invalid', 'symphony.config.json', '{ "defaultPriorty": 8 }', /defaultPriorty.*defaultPriority/],
  ])('refuses a file that %s', async (_why, name, text, words) => {
    const { directory } = await folderWith(name === 'other.mjs' ? 'symphony.config.mjs' : name, text)
    const refusal = loadConfig(join(directory, name))
    await expect(refusal).rejects.toBeInstanceOf(ConfigurationError)
    await expect(refusal).rejects.toThrow(words)
    expect(getConfig().defaultPriority).toBe(5)
  })

  test('takes TypeScript where this Node does, and says what to do where it does not', async () => {
    const { directory } = await folderWith(
      'symphony.config.ts',
      'interface Own { defaultPriority: number }\nexport default { defaultPriority: 8 } as Own',
    )
    const { config, refusal } = await runProgram('load-config.mjs', { DIRECTORY: directory })
    if (config === undefined)
      expect(refusal).toMatch(/cannot import .*symphony\.config\.ts: import it in your code.*setConfig/)
    else expect(config).toMatchObject({ defaultPriority: 8 })
  })
})

test('defineConfig() gives its argument back and sets nothing', () => {
  const config = { defaultPriority: 9 }
  expect(defineConfig(config)).toBe(config)
  expect(getConfig().defaultPriority).toBe(5)
})
