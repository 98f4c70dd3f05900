import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { outputOf, runNode } from '../../scripts/setup/process.mjs'
import { COMPILER_OPTIONS } from '../support/compiler-options.js'
import {
  DECLARATION,
  moduleOf,
  RIGHT_CALLS,
  RIGHT_WHERE_UNDECLARED,
  WRONG_CALLS,
  WRONG_OF_AN_INSTANCE,
  WRONG_WHERE_DECLARED,
  type WrongCall,
} from './wrong-calls.js'

/** Inside the package, so that its name leads to its bundle, as it would in `node_modules`. */
const folder = at('target', 'test', 'wrong-calls')

const PROJECT = {
  compilerOptions: COMPILER_OPTIONS,
  include: ['*'],
}

/** What the compiler says of each module, by its name. */
async function check(name: string, modules: Record<string, string>): Promise<Map<string, string[]>> {
  const home = join(folder, name)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  for (const [file, code] of Object.entries(modules)) writeFileSync(join(home, file), code)
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify(PROJECT))
  const tsc = runNode(at('node_modules/typescript/bin/tsc'), ['--project', home, '--pretty', 'false'], { cwd: home })
  const output = String(await tsc.then(() => '').catch((error: unknown) => outputOf(error) ?? String(error)))
  const said = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of output.split('\n').filter((text) => text.trim() !== '')) {
    const file = /^([\w-]+\.ts)\(/.exec(line)?.[1]
    if (file !== undefined) {
      lines = said.get(file) ?? []
      said.set(file, lines)
    }
    lines.push(line)
  }
  return said
}

function modulesOf(wrong: WrongCall[], right: readonly string[]): Record<string, string> {
  const rights = right.map((code, index) => [`right-${index}.ts`, moduleOf(code)])
  return Object.fromEntries([...wrong.map(([code], index) => [`wrong-${index}.ts`, moduleOf(code)]), ...rights])
}

/** The wrong calls that compile or of which something else is said, and the right ones that do not compile. */
function failures(said: Map<string, string[]>, wrong: WrongCall[]): unknown[] {
  const missed = wrong.flatMap(([code, says], index) => {
    const lines = said.get(`wrong-${index}.ts`) ?? []
    // Of several forms and of decorators, the first line says that nothing fits, and those below it why.
    const first = /(matches this call|as an expression)\.$/.test(lines[0] ?? '') ? lines : lines.slice(0, 1)
    return first.some((line) => line.includes(says)) ? [] : [{ code, says, lines }]
  })
  return [...missed, ...[...said].filter(([file]) => !file.startsWith('wrong-'))]
}

test('wrong calls do not compile, and the compiler names what is wrong', { timeout: 120_000 }, async () => {
  const wrong = [...WRONG_CALLS, ...WRONG_OF_AN_INSTANCE]
  const wrongWhereDeclared = [...WRONG_WHERE_DECLARED, ...WRONG_OF_AN_INSTANCE]
  expect(wrong.length).toBeGreaterThan(30)
  const [undeclared, declared] = await Promise.all([
    check('undeclared', modulesOf(wrong, RIGHT_WHERE_UNDECLARED)),
    check('declared', { ...modulesOf(wrongWhereDeclared, RIGHT_CALLS), 'messages.ts': DECLARATION }),
  ])
  expect(failures(undeclared, wrong)).toEqual([])
  expect(failures(declared, wrongWhereDeclared)).toEqual([])
})
