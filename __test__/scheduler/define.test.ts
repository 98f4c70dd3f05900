import { defineSchedules, schedule } from '@leadmap/symphony'
import { getSchedule, listSchedules, pauseSchedule } from '@leadmap/symphony/admin'
import { beforeEach, expect, test } from 'vitest'
import { truncate } from '../support/emptying.js'
import { startProgram } from '../support/programs.js'
import { createQueue } from '../support/symphony.js'

const database = await createQueue()
const message = { type: 'Report', payload: { of: 'sales' } }
const daily = (name: string, cron = '0 9 * * *') => ({ name, message, when: { cron } })

beforeEach(() => truncate(database, ['messenger_schedules']))

const names = async () => (await listSchedules()).map(({ name }) => name)

test('new ones are added, changed ones changed, and only those of the code removed', async () => {
  await schedule(message, { every: '1h' }, { name: 'by hand' })
  expect(await defineSchedules([daily('a'), daily('b'), daily('c')])).toMatchObject({ removed: [] })
  const [a, b] = [await getSchedule('a'), await getSchedule('b')]
  expect(a).toMatchObject({ origin: 'code', group: 'default', status: 'active' })
  const second = await defineSchedules([daily('a'), daily('b', '0 10 * * *')])
  expect(second.removed).toEqual(['c'])
  expect(second.schedules[0]).toEqual(a)
  expect(second.schedules[1]).toMatchObject({ id: b?.id, cron: '0 10 * * *' })
  expect(second.schedules[1]?.nextRunAt).not.toEqual(b?.nextRunAt)
  expect(await names()).toEqual(['a', 'b', 'by hand'])
})

test('what is paused stays paused, and what is finished stays finished', async () => {
  await defineSchedules([daily('a'), { name: 'past', message, when: { at: '2020-01-01T00:00:00Z' }, maxRuns: 1 }])
  await pauseSchedule('a')
  await database.query(
    "UPDATE symphony.messenger_schedules SET next_run_at = NULL, finished_at = now() WHERE name = 'past'",
  )
  await defineSchedules([daily('a'), { name: 'past', message, when: { at: '2020-01-01T00:00:00Z' }, maxRuns: 1 }])
  expect((await listSchedules()).map(({ status }) => status)).toEqual(['paused', 'finished'])
})

test('groups do not touch each other', async () => {
  await defineSchedules([daily('a')])
  await defineSchedules([daily('b')], { group: 'billing' })
  expect((await defineSchedules([])).removed).toEqual(['a'])
  expect(await names()).toEqual(['b'])
})

test('one that does not fit stops all before the first is stored, and is named', async () => {
  const bad = defineSchedules([daily('a'), { ...daily('b'), maxRuns: -1 }])
  await expect(bad).rejects.toThrow(/^schedules\[1\]\.options\.maxRuns: got -1/)
  await expect(defineSchedules([daily('a'), daily('a')])).rejects.toThrow(/^schedules\[1\].*"a" appears twice/)
  await expect(defineSchedules([{ message, when: { every: '1h' } } as never])).rejects.toThrow(/schedules\[0\]\.name/)
  await expect(defineSchedules([], { group: '' })).rejects.toThrow(/options\.group/)
  expect(await names()).toEqual([])
})

test('ten processes may start at once', async () => {
  await defineSchedules([daily('old')])
  const environment = { SYMPHONY_DATABASE_URL: database.url, SYMPHONY_DATABASE_POOL_SIZE: '1' }
  const programs = Array.from({ length: 10 }, () => startProgram('../scheduler/programs/define.mjs', environment))
  for (const program of programs) expect(await program.next()).toBe('ready')
  const wanted = Array.from({ length: 20 }, (_, n) => `s${String(n).padStart(2, '0')}`)
  for (const program of programs) program.tell(JSON.stringify(wanted.map((name) => daily(name))))
  const answers = await Promise.all(programs.map((program) => program.next()))
  for (const answer of answers) expect(answer.names).toEqual(wanted)
  expect(answers.flatMap(({ removed }) => removed)).toEqual(['old'])
  expect(await names()).toEqual(wanted)
  // Nobody wrote what another one had written already.
  const versions = await database.query('SELECT DISTINCT version::int AS version FROM symphony.messenger_schedules')
  expect(versions).toEqual([{ version: 1 }])
})
