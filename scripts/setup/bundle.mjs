/** The TypeScript layer, bundled to `dist/`. */
import { existsSync } from 'node:fs'
import { writeEdgeEntries } from './edge.mjs'
import { at, root } from './paths.mjs'
import { runNode } from './process.mjs'
import { contentHash, isStamped, stamp } from './stamp.mjs'
import { step } from './step.mjs'

const sources = [
  'lib',
  'scripts/setup/edge.mjs',
  'scripts/setup/cli-bundle.mjs',
  'tsdown.config.ts',
  'tsconfig.json',
  'package.json',
]

/** Bundles unless `dist/` is up to date. */
export async function ensureBundle() {
  const version = contentHash(sources)
  if (existsSync(at('dist', 'index.mjs')) && isStamped('bundle', version)) return
  await step('bundle', () => runNode(at('node_modules/tsdown/dist/run.mjs'), [], { cwd: root }))
  await writeEdgeEntries(['index', 'admin', 'config', 'http', 'nestjs', 'next', 'testing', 'utils'])
  stamp('bundle', version)
}
