import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { withSymphony } from '@leadmap/symphony/next'
import { afterAll, expect, test, vi } from 'vitest'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'symphony-next-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An application whose package lies at `home`, with the binary of one platform beside it. */
function application(name: string, home: string, link?: string): string {
  const app = join(folder, name)
  for (const [path, text] of [
    [join(app, home, 'symphony/package.json'), '{ "name": "@leadmap/symphony" }'],
    [join(app, home, 'symphony-linux-x64-gnu/package.json'), '{ "name": "@leadmap/symphony-linux-x64-gnu" }'],
    [join(app, home, 'symphony-linux-x64-gnu/symphony.linux-x64-gnu.node'), ''],
  ] as const) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  if (link !== undefined) {
    mkdirSync(join(app, link), { recursive: true })
    symlinkSync(join(app, home, 'symphony'), join(app, link, 'symphony'))
  }
  return app
}

function below<T>(cwd: string, run: () => T): T {
  const spy = vi.spyOn(process, 'cwd').mockReturnValue(cwd)
  try {
    return run()
  } finally {
    spy.mockRestore()
  }
}

const ADDED = {
  serverExternalPackages: ['@leadmap/symphony'],
  outputFileTracingIncludes: { '/**/*': ['./node_modules/@leadmap/symphony-linux-x64-gnu/*.node'] },
}

test('leaves the package outside the bundle and takes its binary along', () => {
  const app = application('npm', 'node_modules/@leadmap')
  expect(below(app, () => withSymphony())).toEqual(ADDED)
  expect(below(app, () => withSymphony({ output: 'standalone' }))).toEqual({ output: 'standalone', ...ADDED })
})

test('finds the binary where pnpm keeps it', () => {
  const store = 'node_modules/.pnpm/@leadmap+symphony@0.1.0/node_modules/@leadmap'
  const app = application('pnpm', store, 'node_modules/@leadmap')
  expect(below(app, () => withSymphony()).outputFileTracingIncludes).toEqual({
    '/**/*': [`./${store}/symphony-linux-x64-gnu/*.node`],
  })
})

test('finds the binary above the application, in a workspace', () => {
  const app = application('workspace', 'node_modules/@leadmap')
  mkdirSync(join(app, 'apps/web'), { recursive: true })
  expect(below(join(app, 'apps/web'), () => withSymphony()).outputFileTracingIncludes).toEqual({
    '/**/*': ['../../node_modules/@leadmap/symphony-linux-x64-gnu/*.node'],
  })
})

test('keeps the entries that are there', () => {
  const own = {
    serverExternalPackages: ['sharp', '@leadmap/symphony'],
    outputFileTracingIncludes: { '/api': ['./a'], '/**/*': ['./b'] },
  }
  const app = application('own', 'node_modules/@leadmap')
  expect(below(app, () => withSymphony(own))).toEqual({
    serverExternalPackages: ['sharp', '@leadmap/symphony'],
    outputFileTracingIncludes: {
      '/api': ['./a'],
      '/**/*': ['./b', './node_modules/@leadmap/symphony-linux-x64-gnu/*.node'],
    },
  })
  expect(own.serverExternalPackages).toHaveLength(2)
})

test('takes a function and a promise', async () => {
  const app = application('forms', 'node_modules/@leadmap')
  const made = below(app, () => withSymphony(async (phase: string) => ({ env: { phase } })))
  const spy = vi.spyOn(process, 'cwd').mockReturnValue(app)
  expect(await made('phase-production-build')).toEqual({ env: { phase: 'phase-production-build' }, ...ADDED })
  expect(await withSymphony(Promise.resolve({ poweredByHeader: false }))).toEqual({ poweredByHeader: false, ...ADDED })
  spy.mockRestore()
})

test('changes nothing of the tracing where the package is not found', () => {
  expect(below(folder, () => withSymphony({}))).toEqual({
    serverExternalPackages: ['@leadmap/symphony'],
    outputFileTracingIncludes: {},
  })
})
