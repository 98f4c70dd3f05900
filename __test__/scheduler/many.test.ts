import { runDueSchedules, schedule } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { statement } from '../faults/support/statements.js'
import { createQueue, storedMessages } from '../support/symphony.js'
import { scaled, tell } from './support/scale.js'

const MANY = scaled(20_000, 100_000)
const DUE = 100
const ROUNDS = scaled(2, 9)

const database = await createQueue()

/** `DUE` of many schedules are due; the rest in an hour. */
async function makeDue(): Promise<void> {
  await database.query(
    `UPDATE symphony.messenger_schedules SET next_run_at = now() - interval '1 s', nominal_run_at = now() - interval '1 s'
     WHERE name IN (SELECT 's' || (n * $1) FROM generate_series(1, $2) n)`,
    [MANY / DUE, DUE],
  )
}

test('what is due is found by an index, however many schedules there are', { timeout: 120_000 }, async () => {
  await schedule({ type: 'Report', payload: { of: 'sales' } }, { cron: '0 9 * * *' }, { name: 'template' })
  await database.query(
    `INSERT INTO symphony.messenger_schedules (name, message_type, body, schedule_type, schedule_config, next_run_at, nominal_run_at)
     SELECT 's' || n, message_type, body, schedule_type, schedule_config, now() + interval '1 h', now() + interval '1 h'
     FROM symphony.messenger_schedules, generate_series(1, $1) n WHERE name = 'template'`,
    [MANY],
  )
  await database.query('ANALYZE symphony.messenger_schedules')
  await makeDue()

  const plan = await database.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN ${statement('schedules_due').replace('$1', '500')}`,
  )
  const lines = plan.map((row) => row['QUERY PLAN']).join('\n')
  expect(lines).toMatch(/Index Scan using messenger_schedules_due on messenger_schedules/)
  expect(lines).not.toMatch(/Seq Scan on messenger_schedules/)

  const durations: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await makeDue()
    const start = performance.now()
    expect(await runDueSchedules()).toMatchObject({ due: DUE, dispatched: DUE, failed: 0 })
    durations.push(performance.now() - start)
  }
  expect(await storedMessages(database)).toHaveLength(DUE * ROUNDS)
  // Nothing is asserted about time: a figure for people.
  const [first = 0, ...later] = durations
  const sorted = later.sort((one, other) => one - other)
  tell('6 many', {
    schedules: MANY,
    due: DUE,
    'ms first': first.toFixed(1),
    'ms median': (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1),
    'ms worst': (sorted.at(-1) ?? 0).toFixed(1),
  })
})

/** A node of a plan that was executed. */
interface Node {
  'Relation Name'?: string
  'Actual Loops': number
  Plans?: Node[]
}

const nodes = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodes)]

test('whether the last runs are over is looked up once for all that is due', async () => {
  await database.query('TRUNCATE symphony.messenger_schedules')
  await database.query(
    `INSERT INTO symphony.messenger_schedules
       (name, message_type, body, schedule_type, schedule_config, overlap, last_message_ids, next_run_at)
     SELECT 'skips ' || n, 'Any', '{}', 'interval', '{}', 'skip', ARRAY[gen_random_uuid()], now() - interval '1 s'
     FROM generate_series(1, 10) n`,
  )
  const [row] = await database.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
    `EXPLAIN (ANALYZE, FORMAT json) ${statement('schedules_due').replace('$1', '500')}`,
  )
  const looks = nodes(row?.['QUERY PLAN'][0].Plan as Node).filter(
    (node) => node['Relation Name'] === 'messenger_messages_processing',
  )
  expect(looks.map((node) => node['Actual Loops'])).toEqual([1])
})
