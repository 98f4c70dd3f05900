/** TLS to Postgres and to PgBouncer, with a certificate that was signed by an authority nobody knows. */
import {
  close,
  consumeBatch,
  dispatch,
  HandlerRegistry,
  migrate,
  setConfig,
  TransportError,
  Worker,
} from '@leadmap/symphony'
import { doctor } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { emptyTables } from '../support/symphony.js'
import { makeCertificates } from './support/certificates.js'
import { type OwnServer, startOwnServer } from './support/own-server.js'
import { ended, fill, tally } from './support/queue.js'
import { numbers } from './support/scale.js'
import { until } from './support/until.js'

/** The only name in the certificate; where it leads, the URL says. */
const HOST = 'db.example'
const LIMIT = 1000
const certificates = await makeCertificates(HOST)
if ('missing' in certificates) console.log(`TLS is not tested: ${certificates.missing}`)

describe.skipIf('missing' in certificates)('over TLS', async () => {
  if ('missing' in certificates) return
  const { authority, stranger, certificate, key } = certificates
  const database = await startOwnServer({ ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key })
  setConfig({ database: { url: database.url } })
  await migrate()
  await close()
  const pooler = await startPgbouncer(database.url, {
    client_tls_sslmode: 'require',
    client_tls_cert_file: certificate,
    client_tls_key_file: key,
  })
  if ('missing' in pooler) console.log(`TLS to a pooler is not tested: ${pooler.missing}`)
  else afterAll(pooler.stop)

  const registry = new HandlerRegistry()
  registry.register('Work', () => undefined)

  beforeEach(() => emptyTables(database))
  afterEach(close)

  const servers: Array<[name: string, url: string]> = [['Postgres', database.url]]
  if (!('missing' in pooler)) servers.push(['PgBouncer', pooler.url])

  describe.each(servers)('to %s', (name, server) => {
    /** The server's URL by the name in its certificate, or by its address. */
    const url = (parameters: Record<string, string>, by: 'name' | 'address' = 'name') => {
      const url = new URL(server)
      if (by === 'name') {
        url.searchParams.set('hostaddr', url.hostname)
        url.hostname = HOST
      }
      for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value)
      return url.href
    }
    const configure = (url: string) =>
      setConfig({ database: { url, directUrl: database.url, statementTimeout: LIMIT, connectTimeout: '10s' } })
    const refusal = async () => {
      const refused = await dispatch({ type: 'Work', payload: { n: 0 } }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(TransportError)
      expect((refused as TransportError).message).not.toContain(new URL(server).password)
      return refused as TransportError
    }

    test.each([
      ['require', { sslmode: 'require' }, 'address'],
      ['verify-ca and the authority', { sslmode: 'verify-ca', sslrootcert: authority }, 'address'],
      ['require and the authority', { sslmode: 'require', sslrootcert: authority }, 'address'],
      ['verify-full and the authority', { sslmode: 'verify-full', sslrootcert: authority }, 'name'],
    ] as const)('sslmode=%s: messages go there and back', async (_, parameters, by) => {
      configure(url(parameters, by))
      await fill(numbers(20).map((n) => ({ n })))
      expect(await encrypted(database)).toEqual([name === 'Postgres'])
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 20, drained: true })
      expect(await ended(database)).toEqual(numbers(20))
    })

    test.each([
      ['verify-full', { sslmode: 'verify-full' }],
      ['verify-ca', { sslmode: 'verify-ca' }],
      ['verify-full, another authority', { sslmode: 'verify-full', sslrootcert: stranger }],
      ['verify-ca, another authority', { sslmode: 'verify-ca', sslrootcert: stranger }],
      ['require, another authority', { sslmode: 'require', sslrootcert: stranger }],
    ])('sslmode=%s: an authority that is not known is refused, and what helps is named', async (_, parameters) => {
      configure(url(parameters))
      const { code, message } = await refusal()
      expect(code).toBe('SYMPHONY_CERTIFICATE_REFUSED')
      expect(message).toMatch(/db\.example:\d+.*UnknownIssuer.*sslrootcert=/)
      const { findings } = await doctor()
      expect(findings).toContainEqual(expect.objectContaining({ check: 'database', severity: 'error' }))
      expect(await tally(database)).toMatchObject({ waiting: 0 })
    })

    test('sslmode=verify-full: a certificate for another name is refused', async () => {
      configure(url({ sslmode: 'verify-full', sslrootcert: authority }, 'address'))
      const { code, message } = await refusal()
      expect(code).toBe('SYMPHONY_CERTIFICATE_REFUSED')
      expect(message).toMatch(/not valid for name "127\.\d+\.\d+\.\d+".*db\.example.*verify-ca/)
    })

    test('a statement that takes too long is ended on the server', async () => {
      const other = new pg.Client(database.url)
      await other.connect()
      onTestFinished(() => other.end())
      configure(url({ sslmode: 'verify-full', sslrootcert: authority }))
      await dispatch({ type: 'Work', payload: { n: 1 } })
      await other.query('BEGIN')
      await other.query('LOCK TABLE symphony.messenger_messages_pending IN ACCESS EXCLUSIVE MODE')
      expect(await refusal()).toMatchObject({ code: 'SYMPHONY_TIMEOUT' })
      // While the table is still locked: nothing but the cancellation can have ended it.
      await until('it waits no more', async () => (await waiting(database)) === 0)
      await other.query('ROLLBACK')
      expect(await tally(database)).toMatchObject({ waiting: 1 })
    })

    test('a statement that nobody waits for any more is ended on the server', async () => {
      const other = new pg.Client(database.url)
      await other.connect()
      onTestFinished(() => other.end())
      configure(url({ sslmode: 'verify-full', sslrootcert: authority }))
      // Longer than the run, so that the server does not end it by itself.
      setConfig({ database: { statementTimeout: '1h' } })
      await fill([{ n: 1 }])
      await other.query('BEGIN')
      await other.query('LOCK TABLE symphony.messenger_messages_processing IN ACCESS EXCLUSIVE MODE')
      const outcome = await consumeBatch({ registry, timeLimit: 500 }).catch((error: unknown) => error)
      expect(outcome).toMatchObject({ code: 'SYMPHONY_TIMEOUT' })
      await until('it waits no more', async () => (await waiting(database)) === 0)
      await other.query('ROLLBACK')
      expect(await tally(database)).toMatchObject({ waiting: 1, held: 0 })
    })
  })

  test('LISTEN is encrypted, and checks the certificate', async () => {
    const direct = new URL(database.url)
    direct.searchParams.set('hostaddr', direct.hostname)
    direct.hostname = HOST
    direct.searchParams.set('sslmode', 'verify-full')
    direct.searchParams.set('sslrootcert', authority)
    setConfig({ database: { url: database.url, directUrl: direct.href } })
    const worker = new Worker({ registry, pollInterval: '1h' })
    const running = worker.run()
    onTestFinished(async () => {
      await worker.stop()
      await running
    })
    await until('it listens, encrypted', async () => (await encrypted(database, 'symphony listener')).join() === 'true')
  })

  test('a file without a certificate is named', async () => {
    setConfig({ database: { url: `${database.url}?sslmode=verify-full&sslrootcert=${key}` } })
    const refused = await dispatch({ type: 'Work', payload: {} }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'ConfigurationError', code: 'SYMPHONY_INVALID_CONFIGURATION' })
    expect((refused as Error).message).toMatch(
      /database\.url: got .*server\.key.*sslrootcert naming a readable PEM file/,
    )
  })
})

test('sslmode=require to a server without TLS says so', async () => {
  const plain = await startOwnServer()
  onTestFinished(close)
  setConfig({ database: { url: `${plain.url}?sslmode=require` } })
  await expect(dispatch({ type: 'Work', payload: {} })).rejects.toMatchObject({
    code: 'SYMPHONY_CONNECTION_FAILED',
    message: expect.stringContaining('the server does not support TLS, but sslmode requires it'),
  })
})

/** Whether the package's connections to the server are encrypted: each answer that there is, once. */
async function encrypted({ query }: OwnServer, name = 'symphony'): Promise<boolean[]> {
  const rows = await query<{ ssl: boolean }>(
    `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE '${name}%'`,
  )
  return rows.map(({ ssl }) => ssl)
}

/** How many of the package's statements wait for a lock. */
async function waiting({ query }: OwnServer): Promise<number> {
  const rows = await query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%messenger_%'")
  return rows.length
}
