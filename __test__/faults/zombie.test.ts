import { expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { type Consumer, startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { fill, isDone, tally } from './support/queue.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
const ROUNDS = scaled(3, 20)
const LEASE = '1s'

test.each(numbers(ROUNDS).map((n) => n + 1))(
  'a worker that is stopped past its lease and wakes up again changes nothing (round %i)',
  { timeout: 120_000 },
  async () => {
    await emptyTables(database)
    const journal = new Journal()
    const messages = between(5, 40)
    // Long enough that none of them ends by itself.
    await fill(numbers(messages).map((n) => ({ n, ms: 60_000 })))
    const begun = performance.now()

    const zombie = await startConsumer({ url: database.url, journal, lease: LEASE, concurrency: 5, batchSize: 40 })
    await until('the first has begun', () => journal.count('start') >= Math.min(5, messages))
    zombie.process.kill('SIGSTOP')
    const begunBefore = journal.count('start')
    const { held } = await tally(database)
    expect(held).toBe(messages)
    await leaseHasRunOut(zombie)

    const other = await startConsumer({ url: database.url, journal, lease: LEASE, environment: { HASTE: '1' } })
    await until('the other has done it all', () => isDone(database))
    const before = await outcomes()
    expect(before).toHaveLength(messages)

    zombie.process.kill('SIGCONT')
    await until('the zombie knows', () => journal.count('lost') === held)
    expect(await outcomes()).toEqual(before)
    // Those that ran were told to stop, and none of the others was started.
    expect(journal.count('aborted')).toBe(begunBefore)
    expect(journal.lines().filter(({ did, who }) => did === 'start' && who === zombie.who)).toHaveLength(begunBefore)

    // It is a worker like any other again.
    await other.stop()
    await fill([{ n: messages }])
    await until('it works again', () => isDone(database))
    const result = await zombie.stop()
    expect(result).toMatchObject({
      claimed: held + 1,
      lost: held,
      lostInStats: held,
      succeeded: 1,
      retried: 0,
      released: 0,
    })
    const rows = await outcomes()
    expect(rows).toHaveLength(messages + 1)

    tell('3 zombie', {
      held,
      'outcomes it applied': result.succeeded - 1,
      'lost, as it counts': result.lost,
      'ms in all': since(begun),
    })
  },
)

test('a worker whose event loop is blocked past its lease keeps what it holds', { timeout: 60_000 }, async () => {
  await emptyTables(database)
  const journal = new Journal()
  await fill(numbers(3).map((n) => ({ n, block: n === 0 ? 2500 : 0 })))
  const blocked = await startConsumer({ url: database.url, journal, lease: LEASE, concurrency: 1, batchSize: 3 })
  await until('it blocks', () => journal.count('start') === 1)
  const other = await startConsumer({ url: database.url, journal, lease: LEASE, poll: 50 })
  await until('everything is done', () => isDone(database))
  const [first, second] = await Promise.all([blocked.stop(), other.stop()])
  expect(first).toMatchObject({ claimed: 3, succeeded: 3, lost: 0 })
  expect(second).toMatchObject({ claimed: 0 })
  for (const runs of journal.runs().values()) expect(runs).toHaveLength(1)
})

/** Every message with what became of it, by whom and when. */
function outcomes() {
  return database.query(
    'SELECT id, status, locked_by, worker_id, processed_at, retry_count FROM symphony.messenger_messages ORDER BY id',
  )
}

async function leaseHasRunOut({ process }: Consumer): Promise<void> {
  const sql = 'SELECT FROM symphony.messenger_workers WHERE pid = $1 AND lease_until < now()'
  await until('the lease has run out', async () => (await database.query(sql, [process.pid])).length > 0)
}
