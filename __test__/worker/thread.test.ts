import { expect, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue, storedMessages } from '../support/symphony.js'

const database = await createQueue()

/** The connections of the thread, which names itself in its URL. */
async function connections(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'thread'",
  )
  return row?.n ?? 0
}

test('a worker thread that is terminated at work hands its message back, leaves no connection behind, and its process lives', async () => {
  const host = startProgram('thread-host.mjs', {
    URL: database.url,
    // Past any pooler: it keeps connections of its own.
    THREAD_URL: `${database.directUrl}?application_name=thread`,
  })
  expect(await host.next()).toBe('handling')
  expect(await connections()).toBeGreaterThan(0)
  host.tell('terminate')
  expect(await host.next()).toHaveProperty('terminated')
  await expect.poll(connections).toBe(0)
  expect(await storedMessages(database)).toMatchObject([{ status: 'pending', retry_count: 0, last_error: null }])
  host.tell('go on')
  expect(await host.next()).toBe('still here')
  expect(await host.ended).toMatchObject({ code: 0, errors: '' })
})
