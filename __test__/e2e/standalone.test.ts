import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { inExample } from '../../scripts/example/paths.mjs'
import { drain, startApplication, waiting } from './support/application.js'
import { email, numbered, sms } from './support/messages.js'

const BUILDS = [['Turbopack', '.next-standalone']]
/** `npm run test:e2e -- --webpack` */
if (process.env.E2E_WEBPACK === '1') BUILDS.push(['webpack', '.next-webpack'])

describe.each(BUILDS)('the standalone output of %s', async (_, folder) => {
  // Far from the repository: no `node_modules` above it can help.
  const home = mkdtempSync(join(tmpdir(), 'symphony-standalone-'))
  afterAll(() => rmSync(home, { recursive: true, force: true }))
  cpSync(inExample(String(folder), 'standalone'), home, { recursive: true })
  const application = await startApplication({ program: join(home, 'server.js') })

  test('has the addon, and nothing of it is bundled', () => {
    const scope = join(home, 'node_modules', '@leadmap')
    expect(existsSync(join(scope, 'symphony', 'dist'))).toBe(true)
    expect(existsSync(join(scope, 'symphony', 'migrations'))).toBe(false)
  })

  test('dispatches and consumes on its own', async () => {
    const addresses = numbered(20, (number) => `mail-${number}@example.com`)
    for (const message of [...addresses.map(email), sms('+1212')]) {
      expect((await application.symphony('POST', 'dispatch', message)).status).toBe(201)
    }
    await drain(application)
    expect(application.mail.mails.map(({ to }) => to).sort()).toEqual([...addresses].sort())
    expect(application.sms.sent.size).toBe(1)
    expect(await waiting(application)).toEqual({ messages: 0, deadLetters: 0 })
  })
})
