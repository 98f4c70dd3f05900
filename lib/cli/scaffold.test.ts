import { describe, expect, test } from 'vitest'
import { type Application, diff, scaffold } from './scaffold.js'

function application(files: Record<string, string> = {}, more: Partial<Application> = {}): Application {
  return { typescript: true, routes: undefined, nextConfig: undefined, read: (name) => files[name], ...more }
}

/** What is written, by name. */
function written(given: Application): Record<string, string> {
  return Object.fromEntries(scaffold(given, 'secret').changes.map(({ name, after }) => [name, after]))
}

test('without Next.js: configuration, handlers, variables', () => {
  const files = written(application({}, { typescript: false }))
  expect(Object.keys(files)).toEqual(['symphony.config.mjs', 'symphony.handlers.mjs', '.env.local'])
  expect(files['.env.local']).toMatch(/^SYMPHONY_DATABASE_URL=postgres:.*\nCRON_SECRET=secret\n$/)
})

test('with Next.js: routes that lead to the handlers, wherever they are', () => {
  for (const [routes, up] of [
    ['app', '../../../../'],
    ['src/app', '../../../../../'],
  ] as const) {
    const files = written(application({}, { routes }))
    expect(files[`${routes}/api/cron/symphony-worker/route.ts`]).toContain(`import '${up}symphony.handlers'\n`)
    expect(files[`${routes}/api/cron/symphony-scheduler/route.ts`]).toContain('createSchedulerRoute({')
  }
})

test('what is there stays, and a second time there is nothing to do', () => {
  const files: Record<string, string> = { 'symphony.config.ts': '// mine', '.env.local': 'export CRON_SECRET=mine' }
  const given = application(files, { routes: 'app', nextConfig: 'next.config.ts' })
  files['next.config.ts'] = 'const nextConfig = {};\n\nexport default nextConfig;\n'
  Object.assign(files, written(given))
  expect(files['symphony.config.ts']).toBe('// mine')
  expect(files['.env.local']).toMatch(/^export CRON_SECRET=mine\nSYMPHONY_DATABASE_URL=.*\n$/)
  expect(scaffold(given, 'other')).toEqual({ changes: [], remarks: [] })
})

test('crons are added to those that are there', () => {
  const before = '{ "regions": ["fra1"], "crons": [{ "path": "/api/cron/mine", "schedule": "0 0 * * *" }] }'
  const { 'vercel.json': after = '' } = written(application({ 'vercel.json': before }, { routes: 'app' }))
  expect(JSON.parse(after)).toEqual({
    regions: ['fra1'],
    crons: [
      { path: '/api/cron/mine', schedule: '0 0 * * *' },
      { path: '/api/cron/symphony-worker', schedule: '* * * * *' },
      { path: '/api/cron/symphony-scheduler', schedule: '* * * * *' },
    ],
  })
})

describe('next.config', () => {
  const wrapped = (text: string) => {
    const given = application({ 'next.config.ts': text }, { routes: 'app', nextConfig: 'next.config.ts' })
    const { changes, remarks } = scaffold(given, 'secret')
    return { after: changes.find(({ name }) => name === 'next.config.ts')?.after, remarks }
  }

  test('is wrapped in its own style', () => {
    expect(wrapped('const config = {};\nexport default config;\n').after).toBe(
      'import { withSymphony } from "@leadmap/symphony/next";\nconst config = {};\nexport default withSymphony(config);\n',
    )
    expect(wrapped("import x from 'x'\nexport default config\n").after).toMatch(
      /^import \{ withSymphony \} from '@leadmap\/symphony\/next'\n/,
    )
  })

  test('is left to the person if its export is not a name', () => {
    const { after, remarks } = wrapped('export default { reactStrictMode: true }\n')
    expect(after).toBeUndefined()
    expect(remarks).toEqual([expect.stringContaining('withSymphony(nextConfig)')])
  })
})

test('a diff: what differs, with one line around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\n'
  expect(diff({ name: 'x', before, after: 'new\na\nb\nc\nd\nE\nf\n' })).toEqual([
    '+ new',
    '  a',
    '  d',
    '- e',
    '+ E',
    '  f',
  ])
  expect(diff({ name: 'x', before: undefined, after: 'a\n\nb\n' })).toEqual(['+ a', '+ ', '+ b'])
})

test('a diff shows no value of a variable', () => {
  const change = { name: '.env.local', before: 'TOKEN=hidden\n', after: 'TOKEN=hidden\nCRON_SECRET=hidden\n' }
  expect(diff(change)).toEqual(['  TOKEN=…', '+ CRON_SECRET=…'])
})
