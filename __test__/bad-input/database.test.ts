import { createServer } from 'node:net'
import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  getConfig,
  HandlerRegistry,
  migrate,
  resetConfig,
  SymphonyError,
  setConfig,
  TransportError,
  validateConfig,
} from '@leadmap/symphony'
import { doctor, getHealth, getMetrics, listFailed, migrationStatus } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()
const PASSWORD = 's3cret-p%40ss'
const { hostname } = new URL(database.url)
const message = { type: 'A', payload: {} }
const registry = new HandlerRegistry()
registry.register('A', () => undefined)

beforeEach(() => resetConfig())
afterEach(close)

/** The database's URL with other parts. */
function urlWith(change: (url: URL) => void): string {
  const url = new URL(database.url)
  change(url)
  return url.href
}

/** Everything that needs the database, each with its error; all of them have to be the same. */
async function refusals(): Promise<SymphonyError> {
  const calls = [
    () => dispatch(message),
    () => consumeBatch({ registry, timeLimit: '10s' }),
    () => getMetrics(),
    () => listFailed(),
  ]
  const errors: SymphonyError[] = []
  for (const call of calls)
    errors.push(
      await call().then(
        () => expect.unreachable(),
        (error) => error,
      ),
    )
  const [batched] = await dispatchBatch([message])
  if (batched?.success === false) errors.push(batched.error as SymphonyError)
  expect(errors).toHaveLength(5)
  for (const error of errors) {
    expect(error).toBeInstanceOf(SymphonyError)
    expect(error.code).toBe(errors[0]?.code)
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('s3cret')
  }
  return errors[0] as SymphonyError
}

describe('without a database', () => {
  test('a missing URL says which variables to set', async () => {
    const error = await refusals()
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'SYMPHONY_DATABASE_URL_MISSING' })
    expect(error.message).toMatch(/SYMPHONY_DATABASE_URL .*DATABASE_URL.*POSTGRES_URL.*database\.url/)
  })

  test('an unreachable server is named by host and port', async () => {
    const port = await freePort()
    setConfig({
      database: {
        url: urlWith((url) => {
          url.port = String(port)
          url.password = PASSWORD
        }),
      },
    })
    const error = await refusals()
    expect(error).toBeInstanceOf(TransportError)
    expect(error.code).toBe('SYMPHONY_CONNECTION_FAILED')
    expect(error.message).toContain(`${hostname}:${port}/`)
    expect(error.message).toMatch(/refused.*Check that the server runs/)
  })

  test('a missing database is named', async () => {
    setConfig({ database: { url: urlWith((url) => (url.pathname = '/no_such_database')) } })
    const error = await refusals()
    expect(error).toMatchObject({ name: 'TransportError', code: 'SYMPHONY_DATABASE_MISSING' })
    expect(error.message).toMatch(/"no_such_database" does not exist.*Create it, or name another one/)
  })

  test('a wrong password is never repeated', async ({ skip }) => {
    const url = urlWith((url) => (url.password = PASSWORD))
    skip(await serverTrustsAnybody(url), 'this server asks for no password')
    setConfig({ database: { url } })
    const error = await refusals()
    expect(error).toMatchObject({ name: 'TransportError', code: 'SYMPHONY_AUTHENTICATION_FAILED' })
    expect(error.message).toMatch(/refused the login.*password.*Check user and password/)
    await expect(migrate()).rejects.toMatchObject({ code: 'SYMPHONY_AUTHENTICATION_FAILED' })
  })

  test('a missing migration says how to run it', async () => {
    setConfig({ database: { url: database.url } })
    const error = await refusals()
    expect(error).toMatchObject({
      name: 'TransportError',
      code: 'SYMPHONY_MIGRATION_MISSING',
      details: { schema: 'symphony' },
    })
    expect(error.message).toMatch(/schema "symphony" lacks .*await migrate\(\).*migrations\//)
    expect(await migrationStatus()).toMatchObject({ version: 0 })
  })

  test('nothing was created by any of it', async () => {
    const tables = await database.query("SELECT FROM pg_class WHERE relname LIKE 'messenger%'")
    expect(tables).toEqual([])
  })
})

describe('the database URL', () => {
  test.each(['not a url', 'mysql://user:s3cret@host/db', 'postgres://user:s3cret@host:99999/db'])(
    'is refused as %s, without its password',
    async (url) => {
      const outcome = await (async () => {
        setConfig({ database: { url } })
        await dispatch(message)
      })().catch((error: unknown) => error)
      expect(outcome).toMatchObject({ name: 'ConfigurationError', message: expect.stringMatching(/database\.url/) })
      expect(`${(outcome as Error).message} ${JSON.stringify(outcome)}`).not.toContain('s3cret')
    },
  )

  test.each(['p@s3cret', 's3cret/p', '5432/s3cret', 'p?s3cret=1', 's3cret#p@s3cret', 'p@s3cret?x', 's3cret%p'])(
    'with the password %s written as it is shows no part of it anywhere, and takes none for a host',
    async (written) => {
      const port = await freePort()
      setConfig({ database: { url: `postgres://user:${written}@127.0.0.1:${port}/db`, connectTimeout: '2s' } })
      const refused = (error: SymphonyError) => `${error.message} ${error.stack} ${JSON.stringify(error)}`
      const shown = [
        await dispatch(message).then(String, refused),
        await consumeBatch({ registry, timeLimit: '2s' }).then(String, refused),
        await migrationStatus().then(String, refused),
        JSON.stringify(await doctor()),
        JSON.stringify(await getHealth()),
        JSON.stringify(getConfig()),
      ]
      for (const text of shown) {
        expect(text).not.toContain('s3cret')
        // It is refused with the remedy, or nobody listens at the host that it names.
        expect(text).toMatch(/percent-encoded|127\.0\.0\.1/)
      }
    },
  )

  test.each([
    'sslcert=s3cret',
    'sslrootcert=system&sslmode=require',
    'sslcrl=s3cret',
    'ssl_max_protocol_version=TLSv1.2',
  ])('that asks for TLS in a way that is not known is refused (%s)', async (parameters) => {
    setConfig({ database: { url: `${database.url}?${parameters}` } })
    const error = await refusals()
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'SYMPHONY_INVALID_CONFIGURATION' })
    expect(error.message).toContain(parameters.split('=')[0])
  })

  test('is shown by getConfig() without its password', () => {
    const secret = urlWith((url) => (url.password = PASSWORD))
    setConfig({ database: { url: secret, directUrl: `${secret}?sslpassword=s3cret` } })
    const shown = JSON.stringify(getConfig())
    expect(shown).not.toContain('s3cret')
    expect(getConfig().database.url).toContain(hostname)
  })

  test('is not shown by validateConfig()', () => {
    const { valid, errors } = validateConfig({ database: { url: 'mysql://user:s3cret@host/db' } })
    expect(valid).toBe(false)
    expect(errors.join()).not.toContain('s3cret')
  })
})

async function serverTrustsAnybody(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

/** A port that nobody listens on: it was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
