import { dispatch, runDueSchedules, schedule } from '@leadmap/symphony'
import { deleteSchedule, getSchedule } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { dueSince } from './support/due.js'

const database = await createQueue({
  transports: { email: { type: 'postgres', queue: 'mail' } },
  routing: { Both: ['supabase', 'email'] },
})
const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)

beforeEach(async () => {
  error.mockClear()
  await emptyTables(database, 'messenger_schedules')
})

const types = async () => (await storedMessages(database)).map((row) => row.message_type).sort()

/** A schedule that is due, and the key of its run. */
async function due(type = 'Report', name = 'report'): Promise<string> {
  await schedule({ type, payload: {} }, { every: '1h' }, { name, from: Date.now() - 1_800_000 })
  return `${name}@${(await dueSince(database, name, '5 seconds')).toISOString()}`
}

describe('the idempotency key of a run', () => {
  test('is not that of a caller, who cannot suppress the run', async () => {
    const idempotencyKey = await due()
    await dispatch({ type: 'Other', payload: {} }, { idempotencyKey })
    await dispatch({ type: 'Other', payload: {} }, { idempotencyKey: `@schedules/${idempotencyKey}` })
    expect(await runDueSchedules()).toMatchObject({ due: 1, dispatched: 1, failed: 0, errors: [] })
    expect(await types()).toEqual(['Other', 'Other', 'Report'])
    expect(await getSchedule('report')).toMatchObject({ lastError: null })
  })

  test('does not suppress the dispatch of a caller', async () => {
    const idempotencyKey = await due()
    await runDueSchedules()
    expect(await dispatch({ type: 'Other', payload: {} }, { idempotencyKey })).toMatchObject({ status: 'queued' })
    expect(await types()).toEqual(['Other', 'Report'])
  })

  test('is stored with the message, once for each transport', async () => {
    const key = await due('Both')
    expect(await runDueSchedules()).toMatchObject({ dispatched: 2 })
    const rows = await storedMessages(database)
    expect(rows.map((row) => [row.transport_name, row.idempotency_key]).sort()).toEqual([
      ['email', key],
      ['supabase', key],
    ])
  })
})

test('a run that is refused is an error of its schedule, which goes on', async () => {
  const key = await due()
  await due('Both', 'both')
  await runDueSchedules()
  const [, planned = ''] = key.split('@')
  await deleteSchedule('report')
  await due()
  await due('Both', 'both')
  await database.query(
    `UPDATE symphony.messenger_schedules SET next_run_at = $1, nominal_run_at = $1 WHERE name = 'report'`,
    [planned],
  )
  const result = await runDueSchedules()
  const message = `an earlier schedule of this name has already dispatched this run: ${key}`
  expect(result).toMatchObject({
    due: 2,
    dispatched: 2,
    failed: 1,
    errors: [{ schedule: 'report', code: 'SYMPHONY_RUN_REFUSED', message }],
  })
  expect(error.mock.calls.flat().join()).toContain(message)
  const stored = await getSchedule('report')
  expect(stored).toMatchObject({ lastError: `SYMPHONY_RUN_REFUSED: ${message}`, lastMessageIds: [] })
  expect(stored?.lastErrorAt).toBeInstanceOf(Date)
  expect(stored?.nextRunAt?.getTime()).toBeGreaterThan(Date.parse(planned))
  // The next run clears it.
  await dueSince(database, 'report', '5 seconds')
  expect(await runDueSchedules()).toMatchObject({ dispatched: 1, failed: 0 })
  expect(await getSchedule('report')).toMatchObject({ lastError: null })
})
