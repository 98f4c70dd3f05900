import { schedule } from '@leadmap/symphony'
import { listSchedules } from '@leadmap/symphony/admin'
import { expect, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue, storedMessages } from '../support/symphony.js'
import { scaled, tell } from './support/scale.js'

const PROCESSES = scaled(5, 50)
const SCHEDULES = scaled(5, 20)
const SECONDS = scaled(3, 20)

const database = await createQueue()

/** Real time, the database's own: nothing is injected. `missed: 'all'`, since a busy machine may pause for a second. */
test('many processes in a loop make exactly one message per schedule and second', { timeout: 200_000 }, async () => {
  const environment = { SYMPHONY_DATABASE_URL: database.url, SYMPHONY_DATABASE_POOL_SIZE: '1' }
  const programs = Array.from({ length: PROCESSES }, () =>
    startProgram('../scheduler/programs/run-due.mjs', environment),
  )
  for (const program of programs) expect(await program.next()).toBe('ready')

  const begin = Math.ceil(Date.now() / 1000 + 2) * 1000
  const names = Array.from({ length: SCHEDULES }, (_, n) => `every second ${n}`)
  await Promise.all(
    names.map((name, n) =>
      schedule(
        { type: 'Tick', payload: { n } },
        { cron: '* * * * * *' },
        {
          name,
          missed: 'all',
          from: begin,
          until: begin + SECONDS * 1000,
        },
      ),
    ),
  )
  const finished = async () => (await listSchedules()).filter(({ status }) => status === 'finished').length
  await expect.poll(finished, { timeout: 120_000, interval: 200 }).toBe(SCHEDULES)
  for (const program of programs) program.tell('stop')
  const sums = await Promise.all(programs.map((program) => program.next()))

  const expected = names.flatMap((name) =>
    Array.from({ length: SECONDS }, (_, second) => `${name}@${new Date(begin + second * 1000).toISOString()}`),
  )
  const rows = await storedMessages(database)
  const made = rows.map(({ headers }) => `${headers['schedule-name']}@${headers['schedule-run-at']}`)
  expect(made.sort()).toEqual(expected.sort())
  expect(rows.every((row) => row.idempotency_key !== null)).toBe(true)
  const total = (key: 'calls' | 'dispatched' | 'failed') => sums.reduce((sum, each) => sum + each[key], 0)
  expect(total('dispatched')).toBe(expected.length)
  expect(total('failed')).toBe(0)
  tell('1 concurrency', {
    processes: PROCESSES,
    schedules: SCHEDULES,
    seconds: SECONDS,
    calls: total('calls'),
    expected: expected.length,
    messages: rows.length,
    'processes that dispatched': sums.filter(({ dispatched }) => dispatched > 0).length,
  })
})
