import { expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { fill, isDone, tally } from './support/queue.js'
import { between, numbers, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
const ROUNDS = scaled(1, 10)
const MESSAGES = 200

test.each(numbers(ROUNDS).map((n) => n + 1))(
  'a batch of 200, one of which aborts the process: only that one becomes a dead letter (round %i)',
  { timeout: 150_000 },
  async () => {
    await emptyTables(database)
    const journal = new Journal()
    const poison = between(0, MESSAGES - 1)
    await fill(numbers(MESSAGES).map((n) => ({ n, ms: between(0, 10), abort: n === poison })))

    const begun = performance.now()
    const deaths = await drainUntilDone(journal)

    const letters = await database.query(
      `SELECT (body ->> 'n')::int AS n, error_class, crash_count, retry_count FROM symphony.messenger_failed_messages`,
    )
    expect(letters).toEqual([{ n: poison, error_class: 'WorkerCrash', crash_count: 3, retry_count: 0 }])
    const [others] = await database.query(
      `SELECT count(*)::int AS n, max(retry_count) AS retries, max(crash_count) AS crashes, count(last_error)::int AS errors
       FROM symphony.messenger_messages WHERE status = 'completed' AND (body ->> 'n')::int <> $1`,
      [poison],
    )
    expect(others).toMatchObject({ n: MESSAGES - 1, retries: 0, errors: 0 })
    expect(others?.crashes).toBeLessThanOrEqual(1)
    expect(deaths).toBe(3)

    const runs = [...journal.runs().values()]
    tell('2 abort', {
      messages: MESSAGES,
      'the poison is number': poison,
      'dead letters': letters.length,
      'processes died': deaths,
      'others run twice': runs.filter((each) => each.length > 1).length - 1,
      'retries used': others?.retries as number,
      'ms in all': since(begun),
    })
  },
)

/** Drains again and again, each time in a process of its own, as a cron does; answers with how many of them died. */
async function drainUntilDone(journal: Journal): Promise<number> {
  let deaths = 0
  await until(
    'everything is done',
    async () => {
      const consumer = await startConsumer({
        url: database.url,
        journal,
        lease: '1s',
        mode: 'drain',
        batchSize: MESSAGES,
      })
      const { signal } = await consumer.ended
      if (signal === 'SIGABRT') deaths += 1
      else expect(signal).toBeNull()
      return isDone(database)
    },
    // A suspect that crashed again stays away for half a minute.
    { pause: 500, patience: 100_000 },
  )
  expect((await tally(database)).dead).toBe(1)
  return deaths
}
