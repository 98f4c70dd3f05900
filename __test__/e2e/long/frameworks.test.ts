/** Applications of frameworks with a server of their own: installed from the tarball, built, run. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { migrate, setConfig } from '@leadmap/symphony'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../../scripts/servers/ports.mjs'
import { buildFramework, FRAMEWORKS, homeOf, node } from '../../../scripts/test/frameworks.mjs'
import { createDatabase } from '../../support/database.js'
import { checkMounted } from '../support/mounted.js'
import { packed } from './packed.js'

const database = await createDatabase()
setConfig({ database: { url: database.url } })
await migrate()

/** Starts what was built; the lines of JSON that it prints, in order. */
async function start(name: string, server: string) {
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), HOST: 'localhost', SYMPHONY_DATABASE_URL: database.url }
  const child = spawn(node, [join(homeOf(name), server)], { cwd: homeOf(name), env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${name} ended: ${errors}`)
      if (value.startsWith('{')) return JSON.parse(value)
    }
  }
  const answers = () => fetch(`http://localhost:${port}/`).then(({ status }) => status)
  await expect.poll(() => answers().catch(() => errors)).toBe(200)
  return { port, next }
}

test.each(Object.entries(FRAMEWORKS))(
  '%s, built, dispatches, drains, and answers 401, 200 and 404',
  async (name, of) => {
    await buildFramework(name, packed())
    const { port, next } = await start(name, of.server)
    await checkMounted(port, name, next, { guarded: of.guarded })
  },
)
