import {
  close,
  consumeBatch,
  dispatch,
  HandlerError,
  HandlerRegistry,
  migrate,
  runDueSchedules,
  type SymphonyConfig,
  schedule,
  setConfig,
} from '@leadmap/symphony'
import {
  cancelMessage,
  cleanup,
  doctor,
  getHealth,
  getMetrics,
  listFailed,
  listMessages,
  listSchedules,
  retryFailed,
  rollback,
} from '@leadmap/symphony/admin'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { startRelay } from './support/relay.js'
import { shadowEverything } from './support/shadows.js'

const hostile = await createDatabase()
await shadowEverything(hostile)
const serializable = await createDatabase()
await serializable.query(`ALTER DATABASE ${serializable.name} SET default_transaction_isolation = 'serializable'`)
setConfig({ database: { url: serializable.directUrl } })
await migrate()

afterEach(close)

/** Ways to a database: past any pooler, through one that is declared, and through one that nobody has told of. */
const WAYS: Record<string, (database: TestDatabase) => Promise<SymphonyConfig['database'] | { missing: string }>> = {
  directly: async ({ directUrl }) => ({ url: directUrl }),
  'through a transaction pooler': async ({ directUrl }) => {
    const pooler = await startPgbouncer(directUrl)
    if ('missing' in pooler) return pooler
    onTestFinished(pooler.stop)
    return { url: pooler.url, directUrl }
  },
  'through one that nobody has told of': async ({ directUrl }) => {
    const pooler = await startPgbouncer(directUrl)
    if ('missing' in pooler) return pooler
    onTestFinished(pooler.stop)
    return { url: (await startRelay(pooler.url)).url, directUrl }
  },
}

describe.each(Object.keys(WAYS))(
  'where the search_path names hostile operators, functions and types first, %s',
  (way) => {
    test('everything works', async ({ skip }) => {
      const database = await WAYS[way]?.(hostile)
      if (!database || 'missing' in database) return skip(database?.missing)
      setConfig({ database })
      await migrate()
      onTestFinished(async () => void (await rollback({ to: 0 })))
      const registry = new HandlerRegistry()
      registry.register('Well', () => undefined)
      let fails = true
      registry.register('Fails', () => {
        if (fails) throw new HandlerError('never', false)
      })
      registry.register('Again', (_message, { attempt }) => {
        if (attempt === 1) throw new Error('once')
      })
      for (const type of ['Well', 'Fails', 'Again']) {
        await dispatch({ type, payload: { n: 1 } }, { idempotencyKey: type })
        expect(await dispatch({ type, payload: { n: 1 } }, { idempotencyKey: type })).toMatchObject({
          status: 'duplicate',
        })
        await Promise.all([
          dispatch({ type, payload: {} }),
          dispatch({ type, payload: {} }, { delay: 60_000, queue: 'b' }),
        ])
      }
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 2, deadLettered: 2, retried: 2 })
      fails = false
      expect((await listFailed({ type: 'Fails', text: 'never' })).messages).toHaveLength(2)
      await retryFailed({ type: 'Fails' })
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: expect.any(Number) })
      const { messages } = await listMessages({ queue: 'b' })
      expect(messages).toHaveLength(3)
      for (const { id } of messages) await cancelMessage(id)
      await schedule({ type: 'Well', payload: {} }, { every: '1h' }, { name: 'hourly' })
      await runDueSchedules()
      expect(await listSchedules()).toHaveLength(1)
      await Promise.all([getMetrics(), getMetrics({ format: 'prometheus' }), cleanup()])
      expect(await getHealth()).toMatchObject({ findings: expect.anything() })
      expect((await doctor()).findings.filter(({ severity }) => severity === 'error')).toEqual([])
    })
  },
)

describe.each(Object.keys(WAYS))('where transactions are serializable by default, %s', (way) => {
  test('nothing is refused for the sake of another', async ({ skip }) => {
    const database = await WAYS[way]?.(serializable)
    if (!database || 'missing' in database) return skip(database?.missing)
    setConfig({ database })
    const registry = new HandlerRegistry()
    registry.register('Any', ({ payload }) => {
      if (Number(payload.n) % 7 === 0) throw new HandlerError('never', false)
    })
    const before = await dead()
    const draining = new AbortController()
    const drains = Array.from({ length: 3 }, async () => {
      while (!draining.signal.aborted) await consumeBatch({ registry })
    })
    // Each sender waits for its own answer: what is sent at the same moment would travel in one statement.
    const numbers = Array.from({ length: 600 }, (_, n) => n)
    const left = [...numbers]
    const stored: string[] = []
    const senders = Array.from({ length: 20 }, async () => {
      for (let n = left.pop(); n !== undefined; n = left.pop()) {
        const { status } = await dispatch(
          { type: 'Any', payload: { n } },
          { idempotencyKey: `${way} ${n}`, queue: `q${n % 5}` },
        )
        stored.push(status)
      }
    })
    await Promise.all(senders)
    expect(stored).toEqual(numbers.map(() => 'queued'))
    draining.abort()
    await Promise.all(drains)
    await consumeBatch({ registry })
    expect((await dead()) - before).toBe(numbers.filter((n) => n % 7 === 0).length)
  })
})

test('where transactions are serializable by default, several processes may migrate at once', async () => {
  const database = await createDatabase()
  await database.query(`ALTER DATABASE ${database.name} SET default_transaction_isolation = 'serializable'`)
  setConfig({ database: { url: database.directUrl, directUrl: database.directUrl } })
  const done = await Promise.all(Array.from({ length: 5 }, () => migrate()))
  expect(done.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
})

async function dead(): Promise<number> {
  const [row] = await serializable.query('SELECT count(*)::int AS n FROM symphony.messenger_failed_messages')
  return row?.n
}

describe('a statement that the server rolls back for the sake of another', () => {
  // Only rolling back gives it up, so a sequence counts the tries.
  beforeEach(async () => {
    await serializable.query(`
      CREATE SEQUENCE IF NOT EXISTS public.tries;
      CREATE OR REPLACE FUNCTION public.give_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('public.tries') % 4 <> 0 THEN
          RAISE EXCEPTION 'given way' USING ERRCODE = TG_ARGV[0];
        END IF;
        RETURN NULL;
      END $$`)
  })

  test.for(
    ['40001', '40P01'].flatMap((code) =>
      [
        'INSERT ON symphony.messenger_messages_pending',
        'INSERT ON symphony.messenger_messages_processing',
        'INSERT ON symphony.messenger_failed_messages',
      ].map((event) => [code, event] as const),
    ),
  )('with %s is repeated (%s)', async ([code, event]) => {
    setConfig({ database: { url: serializable.directUrl } })
    await serializable.query(
      `CREATE TRIGGER gives_way AFTER ${event} FOR EACH STATEMENT EXECUTE FUNCTION public.give_way('${code}')`,
    )
    onTestFinished(async () => {
      await serializable.query(`DROP TRIGGER gives_way ON ${event.split(' ON ')[1]}`)
    })
    const registry = new HandlerRegistry()
    let handled = 0
    registry.register('Any', () => {
      handled++
      throw new HandlerError('never', false)
    })
    const before = await dead()
    await dispatch({ type: 'Any', payload: {} })
    expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
    expect([handled, (await dead()) - before]).toEqual([1, 1])
  })
})
