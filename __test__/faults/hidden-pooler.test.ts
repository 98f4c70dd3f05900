import { randomUUID } from 'node:crypto'
import {
  close,
  consumeBatch,
  discard,
  dispatch,
  HandlerError,
  HandlerRegistry,
  migrate,
  schedule,
  setConfig,
  snooze,
} from '@leadmap/symphony'
import { doctor, getHealth, getMetrics, listFailed, listMessages, retryFailed } from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { createDatabase } from '../support/database.js'
import { startRelay } from './support/relay.js'

const database = await createDatabase()
/** What another application's session begins with: what the server gives everybody. */
const SETTINGS = [
  'statement_timeout',
  'enable_seqscan',
  'enable_bitmapscan',
  'jit',
  'search_path',
  'default_transaction_isolation',
  'lock_timeout',
]
const SERVER_SESSIONS = 2

/** The settings, and how many statements are prepared. */
type Session = Record<string, string> & { kept: number }

afterEach(close)

async function startPooler(own: Record<string, string> = {}): Promise<{ url: string } | { missing: string }> {
  const pooler = await startPgbouncer(database.directUrl, own)
  if ('missing' in pooler) return pooler
  onTestFinished(pooler.stop)
  // On a port that tells nothing.
  return { url: (await startRelay(pooler.url)).url }
}

/** What another application finds in every session of the pooler: each of its clients holds one. */
async function found(url: string): Promise<Session[]> {
  const clients = Array.from({ length: SERVER_SESSIONS }, () => new pg.Client({ connectionString: url }))
  const seen: Session[] = []
  for (const client of clients) {
    await client.connect()
    await client.query('BEGIN')
    const select = SETTINGS.map((name) => `current_setting('${name}') AS ${name}`).join(', ')
    const { rows } = await client.query(`SELECT ${select}, (SELECT count(*)::int FROM pg_prepared_statements) AS kept`)
    seen.push(rows[0])
  }
  for (const client of clients) {
    await client.query('ROLLBACK')
    await client.end()
  }
  return seen
}

/** Everything that an application does with the queue. */
async function work(n: number): Promise<void> {
  const registry = new HandlerRegistry()
  registry.register('Well', () => undefined)
  registry.register('Never', () => Promise.reject(new HandlerError('never', false)))
  const snoozed = new Set<string>()
  registry.register('Again', (_message, { id }) => {
    if (snoozed.has(id)) return discard()
    snoozed.add(id)
    return snooze(0)
  })
  await Promise.all(
    ['Well', 'Never', 'Again'].flatMap((type) => [
      dispatch({ type, payload: { n } }),
      dispatch({ type, payload: { n } }, { idempotencyKey: randomUUID() }),
    ]),
  )
  await schedule({ type: 'Well', payload: {} }, { every: '1h' }, { name: `later-${n}` })
  expect(await consumeBatch({ registry })).toMatchObject({ drained: true })
  const { messages } = await listFailed()
  expect(messages).toHaveLength(2)
  await retryFailed({ ids: messages.map(({ id }) => id) })
  registry.unregister('Never')
  registry.register('Never', () => undefined)
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 2 })
  await Promise.all([listMessages(), getMetrics(), getHealth(), doctor()])
}

describe('behind a transaction pooler that the configuration does not know of', () => {
  test.for([{ poolSize: 1 }, { poolSize: 5 }])(
    'the queue works, and leaves nothing in the sessions of others ($poolSize connections)',
    async (own, { skip }) => {
      const pooler = await startPooler()
      if ('missing' in pooler) return skip(pooler.missing)
      setConfig({ database: { url: database.directUrl } })
      await migrate()
      const before = await found(pooler.url)
      setConfig({ database: { url: pooler.url, ...own } })
      for (let n = 0; n < 3; n++) {
        await work(n)
        expect(await found(pooler.url)).toEqual(before)
      }
    },
  )

  test('that deals its sessions out in turns, too', async ({ skip }) => {
    const pooler = await startPooler({ server_round_robin: '1' })
    if ('missing' in pooler) return skip(pooler.missing)
    setConfig({ database: { url: database.directUrl } })
    await migrate()
    const before = await found(pooler.url)
    setConfig({ database: { url: pooler.url } })
    await work(1)
    expect(await found(pooler.url)).toEqual(before)
  })

  test('doctor() says so, and goes on', async ({ skip }) => {
    const pooler = await startPooler()
    if ('missing' in pooler) return skip(pooler.missing)
    setConfig({ database: { url: pooler.url } })
    await migrate()
    const { status, findings } = await doctor()
    expect(status).toBe('warning')
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'pooler',
        severity: 'warning',
        remedy: expect.stringContaining('pgbouncer=true'),
      }),
    )
    expect(findings.map(({ check }) => check)).toContain('transactions')
  })
})

test.for(['', '?pgbouncer=true'])(
  'behind a pooler of single statements, the queue works (%s)',
  async (said, { skip }) => {
    const pooler = await startPooler({ pool_mode: 'statement' })
    if ('missing' in pooler) return skip(pooler.missing)
    setConfig({ database: { url: database.directUrl } })
    await migrate()
    setConfig({ database: { url: `${pooler.url}${said}` } })
    await work(1)
  },
)

test('behind a session pooler, statements are prepared once it has shown that it keeps sessions', async ({ skip }) => {
  // It tidies up nothing, so that what was kept can be seen.
  const pooler = await startPooler({ pool_mode: 'session', default_pool_size: '10', server_reset_query: '' })
  if ('missing' in pooler) return skip(pooler.missing)
  setConfig({ database: { url: database.directUrl } })
  await migrate()
  const registry = new HandlerRegistry()
  registry.register('Well', () => undefined)
  const keeps = async () => {
    setConfig({ database: { url: pooler.url } })
    for (let n = 0; n < 3; n++) {
      await dispatch({ type: 'Well', payload: {} })
      await consumeBatch({ registry })
    }
    await close()
    return (await found(pooler.url)).some(({ kept }) => kept > 0)
  }
  await expect.poll(keeps, { timeout: 20_000 }).toBe(true)
})
