/** The files of the README in a new application, as `create-next-app` makes it. */
import { expect, onTestFinished, test } from 'vitest'
import { newSecrets, startServer } from '../../scripts/example/server.mjs'
import { runNode } from '../../scripts/setup/process.mjs'
import { newApplication } from '../../scripts/test/new-application.mjs'
import { createDatabase } from '../support/database.js'

const BUNDLERS = ['turbopack']
/** `npm run test:e2e -- --webpack` */
if (process.env.E2E_WEBPACK === '1') BUNDLERS.push('webpack')

test.each(BUNDLERS)('a new application with the files of the README works, built by %s', async (bundler) => {
  const home = newApplication(bundler)
  const database = await createDatabase()
  const { CRON_SECRET } = newSecrets()
  const env = { SYMPHONY_DATABASE_URL: database.url, CRON_SECRET, SYMPHONY_RETRY_DELAY: '100ms' }
  await runNode('migrate.mjs', [], { cwd: home, env: { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: undefined } })
  const server = await startServer({ env, home })
  onTestFinished(server.stop)

  const body = JSON.stringify({ email: 'ada@example.com' })
  const signedUp = await fetch(`${server.url}/api/sign-up`, { method: 'POST', body })
  expect([signedUp.status, await signedUp.json()]).toEqual([202, { messageId: expect.any(String) }])

  const cron = async (secret: string) => {
    const headers = { authorization: `Bearer ${secret}` }
    const response = await fetch(`${server.url}/api/cron/symphony-worker`, { headers })
    return { status: response.status, body: (await response.json()) as { retried: number; succeeded: number } }
  }
  expect((await cron('wrong')).status).toBe(401)
  expect(await cron(CRON_SECRET)).toMatchObject({ status: 200, body: { retried: 1 } })
  await expect.poll(async () => (await cron(CRON_SECRET)).body.succeeded).toBe(1)
  expect(server.output()).toContain('mail to ada@example.com, run 2')

  expect(await (await fetch(`${server.url}/queue`)).text()).toMatch(/The queue is (<!-- -->)?ok/)
})
