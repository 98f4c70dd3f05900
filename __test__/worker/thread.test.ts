import { expect, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue } from '../support/symphony.js'

const database = await createQueue()

/** The connections of the program, which names itself in its URL. */
async function connections(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'thread'",
  )
  return row?.n ?? 0
}

test('a worker thread that is terminated at work leaves no connection behind, and its process lives', async () => {
  const host = startProgram('thread-host.mjs', { SYMPHONY_DATABASE_URL: `${database.url}?application_name=thread` })
  expect(await host.next()).toBe('handling')
  expect(await connections()).toBeGreaterThan(0)
  host.tell('terminate')
  expect(await host.next()).toHaveProperty('terminated')
  await expect.poll(connections).toBe(0)
  expect(host.process.exitCode).toBeNull()
  host.tell('end')
  expect(await host.ended).toMatchObject({ code: 0, errors: '' })
})
