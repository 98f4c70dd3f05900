import { expect, test } from 'vitest'
import { runProgram } from '../support/programs.js'
import { createQueue } from '../support/symphony.js'

const database = await createQueue()

test('close() in worker threads leaves the main thread its connections, which dispatches and drains on', async () => {
  const { errors, expected, handled } = await runProgram('threads-that-close.mjs', {
    SYMPHONY_DATABASE_URL: database.url,
  })
  expect(errors).toEqual([])
  expect(handled).toBe(expected)
})

test('the connections of a process end with its last share of them', async () => {
  const connections = () => database.query("SELECT FROM pg_stat_activity WHERE application_name = 'sharing'")
  const program = runProgram('threads-that-close.mjs', {
    SYMPHONY_DATABASE_URL: `${database.directUrl}?application_name=sharing`,
    SYMPHONY_DATABASE_POOL_SIZE: '2',
  })
  let most = 0
  const watching = setInterval(async () => {
    most = Math.max(most, (await connections()).length)
  }, 20)
  const { errors } = await program.finally(() => clearInterval(watching))
  expect(errors).toEqual([])
  // Four threads, and one pool.
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(2)
  await expect.poll(connections).toEqual([])
})
