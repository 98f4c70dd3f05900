import { beforeEach, describe, expect, test } from 'vitest'
import { type Program, startProgram } from '../support/programs.js'
import { createQueue, emptyTables } from '../support/symphony.js'
import { type ConsumerOptions, startConsumer } from './support/consumer.js'
import { FAKETIME, fakeTime } from './support/fake-time.js'
import { tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { fill, isDone, tally } from './support/queue.js'
import { numbers, oneOf, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
const TEN_MINUTES = 600_000
const OFFSETS = [-TEN_MINUTES, 0, TEN_MINUTES]
const PRELOAD = new URL('programs/clock.mjs', import.meta.url).href

/** Ways to give a process another clock: that of JavaScript alone, and, where the library is, that of all its code. */
const CLOCKS: Array<[name: string, environment: (offset: number) => Record<string, string>]> = [
  ['Date', (offset) => ({ CLOCK_OFFSET: String(offset), NODE_OPTIONS: `--import=${PRELOAD}` })],
]
if (FAKETIME) {
  CLOCKS.push(['faketime', (offset) => (offset === 0 ? {} : fakeTime(offset))])
} else {
  console.log('the clock of Rust is not shifted: libfaketime is not installed (package libfaketime)')
}

beforeEach(() => emptyTables(database))

describe.each(CLOCKS)('with the clock of a process ten minutes off, by %s,', (name, environment) => {
  const startDispatcher = async (offset: number): Promise<Program> => {
    const program = startProgram('../faults/programs/dispatch.mjs', {
      SYMPHONY_DATABASE_URL: database.url,
      ...environment(offset),
    })
    expect(await program.next()).toBe('ready')
    return program
  }
  const startShifted = (offset: number, options: Pick<ConsumerOptions, 'journal'> & Partial<ConsumerOptions>) =>
    startConsumer({ url: database.url, lease: '1s', ...options, environment: environment(offset) })

  test('messages are handled in the order of their dispatch, whatever process dispatched them', async () => {
    const dispatchers = await Promise.all(OFFSETS.map(startDispatcher))
    const messages = scaled(60, 500)
    for (const n of numbers(messages)) {
      const dispatcher = oneOf(dispatchers)
      dispatcher.tell(JSON.stringify({ payload: { n } }))
      const { now } = await dispatcher.next()
      // The clock is really off.
      const offset = OFFSETS[dispatchers.indexOf(dispatcher)] as number
      expect(Math.abs(now - Date.now() - offset)).toBeLessThan(TEN_MINUTES / 2)
    }
    for (const offset of OFFSETS) {
      const journal = new Journal()
      const consumer = await startShifted(offset, { journal, mode: 'drain', concurrency: 1 })
      const { claimed } = await consumer.result()
      expect([...journal.runs().keys()]).toEqual(numbers(messages))
      expect(claimed).toBe(messages)
      await putBack()
    }
    tell(`8 clock, order (${name})`, { messages, 'dispatching clocks': OFFSETS.length, 'out of order': 0 })
  })

  test('a delay is as long as it was asked for', async () => {
    const delay = 1500
    for (const [n, offset] of OFFSETS.entries()) {
      const dispatcher = await startDispatcher(offset)
      dispatcher.tell(JSON.stringify({ payload: { n }, options: { delay } }))
      await dispatcher.next()
    }
    const journal = new Journal()
    await Promise.all(OFFSETS.map((offset) => startShifted(offset, { journal, poll: 50 })))
    await until('all are handled', () => isDone(database))
    const rows = await database.query<{ delay: number; late: number }>(
      `SELECT extract(epoch FROM available_at - created_at)::float8 * 1000 AS delay,
              extract(epoch FROM locked_at - available_at)::float8 * 1000 AS late
       FROM symphony.messenger_messages WHERE status = 'completed'`,
    )
    expect(rows).toHaveLength(OFFSETS.length)
    for (const { delay: stored, late } of rows) {
      expect(stored).toBeCloseTo(delay, 0)
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThan(10_000)
    }
    tell(`8 clock, delays (${name})`, {
      'asked for, ms': delay,
      'ms late, at most': Math.round(Math.max(...rows.map(({ late }) => late))),
    })
  })

  test('a lease holds while its worker lives, and runs out when it is dead', async () => {
    const journal = new Journal()
    await fill(OFFSETS.map((_, n) => ({ n, ms: 3000 })))
    // Each holds one, longer than its lease; every one of them looks for the dead all the time.
    const holders = await Promise.all(
      OFFSETS.map((offset) => startShifted(offset, { journal, concurrency: 1, batchSize: 1, poll: 50 })),
    )
    await until('all are done', () => isDone(database))
    const results = await Promise.all(holders.map((holder) => holder.stop()))
    for (const result of results) expect(result).toMatchObject({ lost: 0 })
    for (const runs of journal.runs().values()) expect(runs).toHaveLength(1)
    expect(await database.query('SELECT FROM symphony.messenger_messages WHERE crash_count > 0')).toEqual([])

    await emptyTables(database)
    for (const offset of OFFSETS) {
      const before = journal.count('start')
      await fill([{ n: 100 + OFFSETS.indexOf(offset), ms: 60_000 }])
      const victim = await startShifted(offset, { journal, poll: 50 })
      await until('it holds it', () => journal.count('start') > before)
      await victim.kill()
    }
    // A later one may have taken back already what an earlier one held.
    const { held, waiting } = await tally(database)
    expect(held + waiting).toBe(OFFSETS.length)
    const heir = await startConsumer({
      url: database.url,
      journal,
      lease: '1s',
      poll: 50,
      environment: { ...environment(TEN_MINUTES), HASTE: '1' },
    })
    await until('the heir has done it all', () => isDone(database))
    expect(await heir.stop()).toMatchObject({ succeeded: OFFSETS.length, lost: 0 })
    tell(`8 clock, leases (${name})`, {
      held: OFFSETS.length,
      'lost by the living': 0,
      'rescued from the dead': OFFSETS.length,
    })
  })
})

/** Makes all completed messages wait again, as they did before. */
async function putBack(): Promise<void> {
  const columns = `id, created_at, available_at, priority, transport_name, queue_name, message_type, body, headers, metadata`
  await database.query(
    `WITH done AS (DELETE FROM symphony.messenger_messages_finished RETURNING *)
     INSERT INTO symphony.messenger_messages_pending (${columns}) SELECT ${columns} FROM done`,
  )
}
