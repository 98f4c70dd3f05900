/** The package, installed by each package manager from the tarball, and used where that has put it. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { findAddon } from '../../../scripts/setup/addon.mjs'
import { at, root } from '../../../scripts/setup/paths.mjs'
import { platformOf } from '../../../scripts/setup/tarballs.mjs'
import { nodeOf, tool } from '../../../scripts/test/tools.mjs'
import { createDatabase } from '../../support/database.js'
import { packed } from './packed.js'

const [main, platform] = packed() as [string, string]
const PLATFORM = `@leadmap/symphony-${platformOf(String(findAddon(root)))}`
const node = nodeOf(24)
const yarn = [node, tool('@yarnpkg/cli-dist', 'bin', 'yarn.js')]

interface Manager {
  /** Installs what `package.json` names. */
  install: string[]
  /** Runs a program with what was installed. */
  node: string[]
  /** Files beside it. */
  files?: Record<string, string>
}

const MANAGERS: Record<string, Manager> = {
  npm: { install: ['npm', 'install', '--no-audit', '--no-fund'], node: [node] },
  pnpm: {
    install: [tool('.bin', 'pnpm'), 'install'],
    node: [node],
    files: { 'pnpm-workspace.yaml': `overrides:\n  '${PLATFORM}': 'file:${platform}'\n` },
  },
  'yarn, node-modules': {
    install: [...yarn, 'install'],
    node: [node],
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
  'yarn, PnP': {
    install: [...yarn, 'install'],
    node: [...yarn, 'node'],
    files: { '.yarnrc.yml': 'nodeLinker: pnp\npnpEnableEsmLoader: true\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
  bun: { install: [tool('.bin', 'bun'), 'install'], node: [node] },
}

const MANIFEST = {
  private: true,
  dependencies: { '@leadmap/symphony': `file:${main}` },
  // As the registry would find it, by its version.
  overrides: { [PLATFORM]: `file:${platform}` },
  resolutions: { [PLATFORM]: `file:${platform}` },
}

test.each(Object.entries(MANAGERS))('%s', async (name, { install, node, files }) => {
  const database = await createDatabase()
  // Outside this repository, whose own files some would look at.
  const folder = join(tmpdir(), `symphony-managers-${process.pid}`, name.replace(/\W+/g, '-'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const all = { 'package.json': JSON.stringify(MANIFEST), ...files }
  for (const [file, text] of Object.entries(all)) writeFileSync(join(folder, file), text)
  const env = {
    SYMPHONY_DATABASE_URL: database.url,
    NAPI_RS_NATIVE_LIBRARY_PATH: undefined,
    CI: undefined,
    // It would take yesterday's tarball from there.
    BUN_INSTALL_CACHE_DIR: join(folder, 'cache'),
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    PATH: `${join(nodeOf(24), '..')}:${process.env.PATH}`,
  }
  const inFolder = { cwd: folder, env }
  const run = ([program = '', ...parameters]: string[]) => execa(program, parameters, inFolder)
  await run(install)
  for (const file of ['quick-start.mjs', 'quick-start.cjs']) {
    copyFileSync(at('scripts', 'pack-check', file), join(folder, file))
    const { stdout } = await run([...node, file])
    expect(stdout).toMatch(/^to \w+@example\.com\nqueued, 1 handled, function$/)
  }
  rmSync(folder, { recursive: true, force: true })
})
