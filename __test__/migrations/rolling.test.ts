import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { close, consumeBatch, dispatch, HandlerRegistry, migrate, setConfig, Worker } from '@leadmap/symphony'
import {
  cancelMessage,
  cleanup,
  getDuplicateAttempts,
  getMetrics,
  migrationStatus,
  rollback,
} from '@leadmap/symphony/admin'
import pg from 'pg'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { createDatabase, type TestDatabase } from '../support/database.js'

afterAll(close)

let database: TestDatabase
let handled: string[]
let leave: Array<() => Promise<unknown>>

const registry = new HandlerRegistry()
registry.register('*', ({ type }) => void handled.push(type))

beforeEach(async () => {
  handled = []
  leave = []
  database = await createDatabase()
  setConfig({ database: { url: database.url } })
  await migrate()
  return async () => {
    for (const each of leave) await each()
    await database.drop()
  }
})

/** Puts a message into the table as it is now, past this build. */
const store = (type: string) =>
  database.query(
    `INSERT INTO symphony.messenger_messages (id, transport_name, message_type, body)
     VALUES (gen_random_uuid(), 'supabase', '${type}', '{}')`,
  )
const states = async () =>
  (await database.query<{ status: string }>('SELECT status FROM symphony.messenger_messages')).map((it) => it.status)

const TOO_OLD = {
  code: 'SYMPHONY_MIGRATION_MISSING',
  // The statement that asks for the version may itself read what is missing.
  message: expect.stringMatching(
    /(at version \d+, and nothing is claimed below \d+|lacks what this version needs).*run `await migrate\(\)`/,
  ),
}

test('this build on a schema of any older version claims nothing, and names the remedy', async () => {
  for (let { version } = await migrationStatus(); version > 2; version -= 1) {
    await rollback({ to: version - 1 })
    await store('Any')
    await expect(consumeBatch({ registry }), `version ${version - 1}`).rejects.toMatchObject(TOO_OLD)
  }
  expect(handled).toEqual([])
  expect(new Set(await states())).toEqual(new Set(['pending']))
  expect(await database.query('SELECT FROM symphony.messenger_workers')).toEqual([])
  await migrate()
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: (await states()).length })
})

test('a worker on an older schema says so, and begins when it is migrated', async () => {
  const { version } = await migrationStatus()
  await rollback({ to: version - 1 })
  await store('Any')
  const worker = new Worker({ registry, pollInterval: 10 })
  const ended = worker.run()
  leave.push(
    () => worker.stop(),
    () => ended,
  )
  const next = (event: 'error' | 'completed') => new Promise<unknown>((resolve) => worker.on(event, resolve))
  expect(await next('error')).toMatchObject(TOO_OLD)
  expect(await states()).toEqual(['pending'])
  const completed = next('completed')
  await migrate()
  await completed
  expect(handled).toEqual(['Any'])
})

/** The statements of the release before, by name: `scripts/previous-statements.mjs` writes them down. */
const previous: Record<string, { parameters: string[]; sql: string }> = JSON.parse(
  readFileSync(at('__test__', 'migrations', 'previous.json'), 'utf8'),
)

/** A worker of the release before: its statements, on a connection of its own. */
class PreviousWorker {
  readonly id = randomUUID()
  readonly token = randomUUID()
  readonly #client = new pg.Client({ connectionString: database.directUrl })

  async connect(): Promise<this> {
    await this.#client.connect()
    leave.push(() => this.#client.end())
    return this
  }

  async prepare(name: string): Promise<void> {
    const { parameters, sql } = previous[name] ?? { parameters: [], sql: '' }
    const types = parameters.length > 0 ? `(${parameters.join(', ')})` : ''
    const text = sql.replaceAll(':"schema"', 'symphony').replaceAll(":'schema'", "'symphony'")
    await this.#client.query(`PREPARE ${name} ${types} AS ${text}`)
  }

  async run(name: string, ...values: Array<string | number | boolean | null>): Promise<Record<string, unknown>[]> {
    await this.prepare(name)
    const literals = values.map((value) => (value === null ? 'NULL' : pg.escapeLiteral(String(value))))
    const { rows } = await this.#client.query(`EXECUTE ${name} ${values.length > 0 ? `(${literals.join(', ')})` : ''}`)
    await this.#client.query(`DEALLOCATE ${name}`)
    return rows
  }

  /** Claims all that is due, as its process would with a lease of so many milliseconds. */
  async claim(lease: number): Promise<string[]> {
    const lane = ['{default}', '{5}', null, 10, 'supabase', '{NULL}', `{${'0'.repeat(32)}}`, false] as const
    const rows = await this.run('claim', this.id, 'old', 1, lease, this.token, ...lane)
    return rows.map(({ id }) => String(id))
  }

  dispatch(type: string): Promise<unknown> {
    return this.run('send_one', randomUUID(), type, 'supabase', 'default', 5, null, null, null, '{}', null, null)
  }

  /** Dispatches a message with a key for an hour; answers who holds it. */
  async dispatchKeyed(type: string, key: string): Promise<{ id: string; holder: string }> {
    const id = randomUUID()
    const values = [id, type, 'supabase', 'default', 5, null, null, null, '{}', null, null, key, 3_600_000, 0]
    const parameters = values.map((value) => (value === null ? '{NULL}' : `{${pg.escapeIdentifier(String(value))}}`))
    const [row] = await this.run('send_keyed', ...parameters)
    return { id, holder: String(row?.holder) }
  }

  finish(id: string, counts: object[] = []): Promise<unknown[]> {
    return this.run('settle_finish', `{${id}}`, `{${this.token}}`, JSON.stringify(counts), '{}')
  }

  /** A row of its counts of this minute. */
  counted(type: string, succeeded: number): object {
    const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000)
    const row = { minute, source: this.id, transport_name: 'supabase', message_type: type, succeeded, waited_ms: 0 }
    const none = { retried: 0, dead_lettered: 0, discarded: 0, snoozed: 0, released: 0, errors: {} }
    return { ...row, ...none, duration_ms: 10 * succeeded, buckets: [58], counts: [succeeded] }
  }

  retry(id: string): Promise<unknown[]> {
    const failure = ['{1}', '{NULL}', '{not yet}', '{Error}', '{NULL}'] as const
    return this.run('settle_return', `{${id}}`, `{${this.token}}`, '[]', ...failure)
  }
}

const previousWorker = () => new PreviousWorker().connect()

describe('the release before, on the schema of today and beside the code of today', () => {
  test('can run each of its statements', async () => {
    const worker = await previousWorker()
    const refused: string[] = []
    for (const name of Object.keys(previous)) {
      await worker.prepare(name).catch((error: Error) => refused.push(`${name}: ${error.message}`))
    }
    expect(refused).toEqual([])
    expect(Object.keys(previous).length).toBeGreaterThan(40)
  })

  test('dispatches what this build handles, and handles what this build dispatches', async () => {
    const worker = await previousWorker()
    await worker.dispatch('FromBefore')
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(handled).toEqual(['FromBefore'])
    await dispatch({ type: 'FromToday', payload: {} })
    const [id = ''] = await worker.claim(30_000)
    expect(await worker.finish(id)).toHaveLength(1)
    expect(await states()).toEqual(['completed', 'completed'])
  })

  test('admits no key that this build holds, and keeps its own, whichever comes first', async () => {
    const worker = await previousWorker()
    const today = (type: string, idempotencyKey: string) => dispatch({ type, payload: {}, idempotencyKey })
    const earlier = (type: string, key: string) => worker.dispatchKeyed(type, key)

    const old = await earlier('A', 'old')
    expect(old.holder).toBe(old.id)
    for (const type of ['A', 'B'])
      expect(await today(type, 'old')).toMatchObject({ status: 'duplicate', messageId: old.id })
    expect(await getDuplicateAttempts('old')).toBe(2)

    const [a, b] = [await today('A', 'new'), await today('B', 'new')]
    expect([a.status, b.status]).toEqual(['queued', 'queued'])
    for (const type of ['A', 'B', 'C']) expect((await earlier(type, 'new')).holder).toBe(a.messageId)
    expect((await today('B', 'new')).messageId).toBe(b.messageId)

    // What is free for this build is not for the other one, which knows no types and frees nothing.
    await cancelMessage(a.messageId)
    expect((await earlier('A', 'new')).holder).toBe(a.messageId)
    const again = await today('A', 'new')
    expect(again.status).toBe('queued')

    // The window of the first type passes, that of the second does not.
    await database.query(
      `UPDATE symphony.messenger_deduplication SET expires_at = now() - interval '1 second'
       WHERE transport_name = E'supabase\\nA'`,
    )
    const next = await today('A', 'new')
    expect(next.status).toBe('queued')
    expect((await earlier('B', 'new')).holder).not.toBe(next.messageId)
    expect((await today('B', 'new')).messageId).toBe(b.messageId)

    // The window of the second type is the longer one.
    setConfig({ deduplication: { window: '1h' } })
    await today('A', 'longer')
    setConfig({ deduplication: { window: '1d' } })
    const longer = await today('B', 'longer')
    await database.query("UPDATE symphony.messenger_deduplication SET expires_at = expires_at - interval '2 hours'")
    const refused = await earlier('B', 'longer')
    expect(refused.holder).not.toBe(refused.id)
    expect((await today('B', 'longer')).messageId).toBe(longer.messageId)
    expect(await states()).toHaveLength(7)

    // All windows have passed, and the build before takes the key over.
    await database.query("UPDATE symphony.messenger_deduplication SET expires_at = now() - interval '1 second'")
    const taken = await earlier('A', 'new')
    expect(taken.holder).toBe(taken.id)
    for (const type of ['A', 'B']) expect((await today(type, 'new')).messageId).toBe(taken.id)
    await cancelMessage(taken.id)
    expect((await today('A', 'new')).status).toBe('queued')
  })

  test('and this build dispatch one key at once: it makes one message', async () => {
    const workers = await Promise.all([previousWorker(), previousWorker()])
    for (let round = 0; round < 20; round += 1) {
      const key = `round-${round}`
      const answers = await Promise.all([
        ...workers.map(async (worker) => (await worker.dispatchKeyed('Any', key)).holder),
        ...Array.from({ length: 3 }, async () => {
          const { messageId } = await dispatch({ type: 'Any', payload: {}, idempotencyKey: key })
          return messageId
        }),
      ])
      expect(new Set(answers).size).toBe(1)
    }
    expect(await states()).toHaveLength(20)
  })

  test('keeps what it holds while it lives, and its retries are run by this build', async () => {
    const worker = await previousWorker()
    for (const type of ['Done', 'Again']) await dispatch({ type, payload: {} })
    const [done = '', again = ''] = await worker.claim(30_000)
    expect(await consumeBatch({ registry })).toMatchObject({ claimed: 0 })
    await worker.run('extend', worker.id, 30_000, 2)
    expect(await worker.finish(done)).toHaveLength(1)
    expect(await worker.retry(again)).toHaveLength(1)
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(await states()).toEqual(['completed', 'completed'])
    await worker.run('sign_off', worker.id, false)
    expect(await database.query('SELECT FROM symphony.messenger_workers')).toEqual([])
  })

  test('counts beside this build, and all of it is there, whichever of them merges it', async () => {
    const worker = await previousWorker()
    for (const type of ['Before', 'Today', 'Today']) await dispatch({ type, payload: {} }, { queue: 'default' })
    const [first = '', ...others] = await worker.claim(30_000)
    await worker.finish(first, [worker.counted('Before', 1)])
    for (const id of others)
      await worker.run(
        'settle_return',
        `{${id}}`,
        `{${worker.token}}`,
        '[]',
        '{0}',
        '{NULL}',
        '{NULL}',
        '{NULL}',
        '{NULL}',
      )
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 2 })
    const figures = async () => {
      const { totalSucceeded, p50ProcessingTime, byMessageType } = await getMetrics({ minutes: 300 })
      return { totalSucceeded, p50ProcessingTime, types: Object.keys(byMessageType).sort() }
    }
    const all = await figures()
    expect(all).toMatchObject({ totalSucceeded: 3, types: ['Before', 'Today'] })
    expect((await getMetrics()).byQueue).toMatchObject({ '': { totalSucceeded: 1 }, default: { totalSucceeded: 2 } })
    await database.query("UPDATE symphony.messenger_metrics SET minute = minute - interval '2 hours'")
    await worker.run('merge_metrics', 1000)
    expect(await figures()).toEqual(all)
    await cleanup()
    expect(await figures()).toEqual(all)
    const hours = 'SELECT sum(succeeded)::int AS succeeded FROM symphony.messenger_metrics_hourly'
    expect(await database.query(hours)).toEqual([{ succeeded: 3 }])
    await cleanup()
    expect(await figures()).toEqual(all)
  })

  test('gives up to this build what it held when it died, and its late outcome is refused', async () => {
    const worker = await previousWorker()
    await dispatch({ type: 'Orphan', payload: {} })
    const [id = ''] = await worker.claim(1)
    await expect.poll(() => consumeBatch({ registry }).then(({ succeeded }) => succeeded), { interval: 100 }).toBe(1)
    expect(await worker.finish(id)).toEqual([])
    expect(handled).toEqual(['Orphan'])
  })

  test('does not take what this build holds', async () => {
    const worker = await previousWorker()
    const rescued: unknown[] = []
    const busy = new HandlerRegistry()
    busy.register('Held', async () => {
      rescued.push(...(await worker.run('rescue', 3)), ...(await worker.claim(30_000)))
    })
    await dispatch({ type: 'Held', payload: {} })
    expect(await consumeBatch({ registry: busy })).toMatchObject({ succeeded: 1, lost: 0 })
    expect(rescued).toEqual([{ workers: '0', returned: '0', buried: '0' }])
  })
})
