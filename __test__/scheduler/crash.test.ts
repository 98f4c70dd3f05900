import { schedule } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { isPooled } from '../support/database.js'
import { startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { type Point, startProxy } from './support/proxy.js'
import { scaled, tell } from './support/scale.js'

const database = await createQueue({
  transports: { other: { type: 'postgres' } },
  routing: { Both: ['supabase', 'other'] },
})

/** A schedule with one run due, one with five, and one whose message goes to two transports. */
async function makeDue(): Promise<string[]> {
  await emptyTables(database, 'messenger_schedules')
  const from = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 4 * 600_000)
  await schedule({ type: 'Report', payload: {} }, { every: '10m' }, { name: 'one', from })
  await schedule({ type: 'Report', payload: {} }, { every: '10m' }, { name: 'five', from, missed: 'all' })
  await schedule({ type: 'Both', payload: {} }, { every: '10m' }, { name: 'both', from })
  await database.query('UPDATE symphony.messenger_schedules SET next_run_at = $1, nominal_run_at = $1', [from])
  const at = (n: number) => new Date(from.getTime() + n * 600_000).toISOString()
  return [...[0, 1, 2, 3, 4].map((n) => `five@${at(n)}`), `one@${at(4)}`, `both@${at(4)}`, `both@${at(4)}`].sort()
}

const stored = async () =>
  (await storedMessages(database)).map(({ headers }) => `${headers['schedule-name']}@${headers['schedule-run-at']}`)

/** Runs what is due in a process of its own; whether it was killed, and how many statements it got to. */
async function runOnce(point?: Point): Promise<{ killed: boolean; statements: number }> {
  let kill = (): void => undefined
  const proxy = await startProxy(new URL(database.url), point, () => kill())
  const program = startProgram('../scheduler/programs/run-due.mjs', {
    SYMPHONY_DATABASE_URL: proxy.url,
    // Behind the proxy the pooler cannot be known by its port.
    SYMPHONY_DATABASE_POOLED: isPooled() ? '1' : '0',
    ONCE: '1',
  })
  kill = () => program.process.kill('SIGKILL')
  const { signal, code, errors } = await program.ended
  proxy.close()
  if (signal === null && code !== 0) throw new Error(errors)
  return { killed: signal === 'SIGKILL', statements: proxy.statements() }
}

test('killed at any point of a run, no run is lost and none made twice', { timeout: 120_000 }, async () => {
  await makeDue()
  const { statements } = await runOnce()
  expect(statements).toBeGreaterThanOrEqual(3)
  const storedAtTheKill = new Set<number>()
  let kills = 0
  // The first ones only connect and look at transports.
  for (let statement = scaled(Math.max(1, statements - 3), 1); statement <= statements; statement += 1) {
    for (const when of ['before', 'after'] as const) {
      const expected = await makeDue()
      const { killed } = await runOnce({ statement, when })
      expect(killed, `${when} statement ${statement}`).toBe(true)
      kills += 1
      const before = await stored()
      storedAtTheKill.add(before.length)
      // All of them or none: there is nothing in between.
      expect([0, expected.length], `${when} statement ${statement}`).toContain(before.length)
      expect((await runOnce()).killed).toBe(false)
      expect((await stored()).sort(), `${when} statement ${statement}`).toEqual(expected)
    }
  }
  expect([...storedAtTheKill].sort()).toEqual([0, 8])
  tell('2 crash', { points: kills, lost: 0, doubled: 0 })
})
