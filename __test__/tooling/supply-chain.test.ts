import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'

const folder = at('.github', 'workflows')
const workflows = readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')] as const)

/** The jobs of a workflow, as text. */
function jobs(workflow: string): Map<string, string> {
  const text = workflows.find(([name]) => name === workflow)?.[1] ?? ''
  const [, body = ''] = text.split(/^jobs:\n/m)
  const parts = body.split(/^ {2}([\w-]+):\n/m).slice(1)
  return new Map(parts.flatMap((name, place) => (place % 2 === 0 ? [[name, parts[place + 1] ?? ''] as const] : [])))
}

describe.each(workflows)('%s', (_, text) => {
  test('names each action by the digest of its commit', () => {
    const uses = [...text.matchAll(/uses: (.*)/g)].map(([, action = '']) => action)
    expect(uses.length).toBeGreaterThan(3)
    expect(uses.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|master)$/.test(action))).toEqual([])
  })

  test('leaves no token behind after a checkout, and may read by default', () => {
    const checkouts = text.split('uses: actions/checkout').slice(1)
    expect(checkouts.filter((after) => !/^.*\n +with:\n +persist-credentials: false\n/.test(after))).toEqual([])
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/m)
  })
})

describe('the release', () => {
  const release = jobs('release.yml')
  const having = (text: string) => [...release].filter(([, job]) => job.includes(text)).map(([name]) => name)

  test('gives each right to one job, and that job runs no code of dependencies', () => {
    expect([...release.keys()]).toEqual(['build', 'bundle', 'test', 'test-musl', 'pack', 'publish', 'release'])
    expect(having('id-token: write')).toEqual(['publish'])
    expect(having('contents: write')).toEqual(['release'])
    expect([...release].filter(([, job]) => / {4}permissions:/.test(job)).map(([name]) => name)).toEqual([
      'publish',
      'release',
    ])
    for (const name of ['publish', 'release']) {
      expect(release.get(name)).not.toMatch(/checkout|npm (ci|install|rebuild)|npx/)
    }
  })

  test('publishes with no token, when a reviewer has agreed', () => {
    expect(having('environment: npm')).toEqual(['publish'])
    expect([...release.values()].join()).not.toMatch(/secrets\.|_authToken|NPM_TOKEN/)
    expect(release.get('publish')).toMatch(/npm publish .*--provenance .*--ignore-scripts/)
  })

  test('runs no install scripts and takes nothing from a cache', () => {
    const commands = [...release.values()].join().match(/npm (ci|install|pack|publish)\b.*/g) ?? []
    expect(commands.length).toBeGreaterThan(5)
    expect(commands.filter((command) => !command.includes('--ignore-scripts'))).toEqual([])
    expect(having('cache')).toEqual([])
  })
})

/** `node scripts/lock.mjs` completes them. */
test.each(['package-lock.json', 'examples/nextjs/package-lock.json'])(
  'every package of %s has its integrity',
  (file) => {
    interface Entry {
      integrity?: string
      link?: boolean
      resolved?: string
    }
    const packages: [string, Entry][] = Object.entries(JSON.parse(readFileSync(at(file), 'utf8')).packages)
    const served = packages.filter(([path, { link, resolved }]) => path && !link && !resolved?.startsWith('file:'))
    expect(served.length).toBeGreaterThan(50)
    expect(served.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([])
  },
)
