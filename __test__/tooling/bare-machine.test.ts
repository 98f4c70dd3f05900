import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { at } from '../../scripts/setup/paths.mjs'

/** The commands that install what they need by themselves. */
const commands = Object.values(manifest.scripts).flatMap((it) => /^node (scripts\/\S+\.mjs)/.exec(it)?.[1] ?? [])

test.each(commands)('%s loads without installed packages', (entry) => {
  expect(packagesOf(at(entry), new Set())).toEqual([])
})

/** What a module imports by name when it is loaded, itself or by what it imports; not what it imports later. */
function packagesOf(file: string, seen: Set<string>): string[] {
  if (seen.has(file) || !existsSync(file)) return []
  seen.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"()]*from '([^']+)'|^import '([^']+)'/gm)
  const names = [...imports].map(([, from, alone]) => from ?? alone ?? '').filter((it) => !it.startsWith('node:'))
  const [own, others] = [names.filter((it) => it.startsWith('.')), names.filter((it) => !it.startsWith('.'))]
  return [...others.map((it) => `${file}: ${it}`), ...own.flatMap((it) => packagesOf(join(dirname(file), it), seen))]
}
