import { dispatch, dispatchBatch, setConfig, setLogger } from '@leadmap/symphony'
import { withSymphonyFallback } from '@leadmap/symphony/utils'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { countAll, createQueue, emptyTables } from './support/symphony.js'

const database = await createQueue()
const message = { type: 'EmailMessage', payload: { to: 'ada@example.com' } }
const features = { enabled: true, emailQueue: true }
const legacy = vi.fn(() => 'legacy')
const warn = vi.fn()
setLogger({ debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() })
afterAll(() => setLogger())

beforeEach(async () => {
  vi.clearAllMocks()
  setConfig({ features })
  await emptyTables(database)
})

const viaSymphony = async () => (await dispatch(message)).status
/** A port that nobody listens on. */
const nowhere = { database: { url: 'postgres://postgres@127.0.0.1:1/postgres', connectTimeout: '500ms' } }

describe('which way', () => {
  test('the queue where the flag is on', async () => {
    expect(await withSymphonyFallback('emailQueue', viaSymphony, legacy)).toBe('queued')
    expect([legacy.mock.calls.length, await countAll(database)]).toEqual([0, 1])
  })

  test.each([
    ['its own flag', { enabled: true, emailQueue: false }],
    ['the main switch', { enabled: false, emailQueue: true }],
  ])('as before where %s is off', async (_, features) => {
    setConfig({ features })
    expect(await withSymphonyFallback('emailQueue', viaSymphony, legacy)).toBe('legacy')
    expect(await countAll(database)).toBe(0)
  })

  test('as before where the name is misspelt, with one warning that names what was meant', async () => {
    for (const _ of [1, 2]) expect(await withSymphonyFallback('emailQueu', viaSymphony, legacy)).toBe('legacy')
    expect(await withSymphonyFallback('reports', viaSymphony, legacy)).toBe('legacy')
    expect(warn.mock.calls.map(([line]) => line)).toEqual([
      'no flag is called emailQueu, so the work is done as before; did you mean emailQueue?',
    ])
  })

  test('a value instead of a name', async () => {
    expect(await withSymphonyFallback(false, viaSymphony, legacy)).toBe('legacy')
    expect(await withSymphonyFallback(true, viaSymphony, legacy)).toBe('queued')
  })
})

describe('as before when nothing is stored', () => {
  test('a message that is refused', async () => {
    const refused = () => dispatch(message, { priority: 11 })
    expect(await withSymphonyFallback('emailQueue', refused, legacy)).toBe('legacy')
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.any(String), {
      flag: 'emailQueue',
      code: 'SYMPHONY_INVALID_PRIORITY',
    })
  })

  test('a database that cannot be reached', async () => {
    setConfig({ features, ...nowhere })
    try {
      expect(await withSymphonyFallback('emailQueue', viaSymphony, legacy)).toBe('legacy')
      const viaBatch = async () => {
        for (const result of await dispatchBatch([message])) if (!result.success) throw result.error
      }
      expect(await withSymphonyFallback('emailQueue', viaBatch, legacy)).toBe('legacy')
    } finally {
      setConfig({ features, database: { url: database.url } })
    }
  })

  test('tables that are missing', async () => {
    setConfig({ features, database: { url: database.url, schema: 'not_there' } })
    try {
      expect(await withSymphonyFallback('emailQueue', viaSymphony, legacy)).toBe('legacy')
    } finally {
      setConfig({ features, database: { url: database.url, schema: 'symphony' } })
    }
  })
})

describe('never both', () => {
  const refused = () => dispatch(message, { priority: 11 })

  test.each([
    ['one message', () => dispatch(message)],
    ['one of a batch', () => dispatchBatch([message, { message, options: { priority: 11 } }])],
  ])('%s is stored before another is refused', async (_, first) => {
    const both = async () => {
      await first()
      await refused()
    }
    await expect(withSymphonyFallback('emailQueue', both, legacy)).rejects.toThrow('priority')
    expect([legacy.mock.calls.length, await countAll(database)]).toEqual([0, 1])
  })

  test('a statement that timed out may have been stored', async () => {
    const blocked = database.query(`BEGIN; LOCK TABLE symphony.messenger_messages; SELECT pg_sleep(1.5); COMMIT`)
    setConfig({ features, database: { url: database.url, statementTimeout: '300ms' } })
    try {
      await expect(withSymphonyFallback('emailQueue', viaSymphony, legacy)).rejects.toMatchObject({
        code: 'SYMPHONY_TIMEOUT',
      })
      expect(legacy).not.toHaveBeenCalled()
    } finally {
      await blocked
      setConfig({ features, database: { url: database.url, statementTimeout: '15s' } })
    }
  })

  test('an error that does not come from the queue', async () => {
    const broken = () => {
      throw new RangeError('mine')
    }
    await expect(withSymphonyFallback('emailQueue', broken, legacy)).rejects.toThrow(RangeError)
    expect(legacy).not.toHaveBeenCalled()
  })

  test('calls side by side do not mix', async () => {
    const results = await Promise.allSettled([
      withSymphonyFallback('emailQueue', viaSymphony, legacy),
      withSymphonyFallback('emailQueue', refused, legacy),
    ])
    expect(results).toMatchObject([{ value: 'queued' }, { value: 'legacy' }])
  })
})
