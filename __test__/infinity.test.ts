/** Rows that somebody has changed by hand: one of them hides no other. */
import { consumeBatch, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import {
  countFailed,
  getFailed,
  getMessage,
  listFailed,
  listMessages,
  listSchedules,
  pauseSchedule,
  removeFailed,
} from '@leadmap/symphony/admin'
import { createSymphonyRoute } from '@leadmap/symphony/next'
import { beforeEach, describe, expect, test } from 'vitest'
import { read, request } from './next/support.js'
import { createQueue, emptyTables } from './support/symphony.js'

const database = await createQueue()
const route = createSymphonyRoute({ authorize: () => true })
const get = (path: string) => read(route.handle(request(`/api/symphony/${path}`)))

const registry = new HandlerRegistry()
registry.register('Doomed', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))

beforeEach(async () => {
  await emptyTables(database)
  await database.query('DELETE FROM symphony.messenger_schedules')
})

const ODD = ['infinity', '-infinity', '290000-01-01', '4000-01-01 BC']

describe.each(ODD)('a message with %s in it', (odd) => {
  test('is listed and shown, as the others are', async () => {
    const ids: string[] = []
    for (let n = 0; n < 3; n += 1) {
      ids.unshift((await dispatch({ type: 'Waiting', payload: { n } }, { delay: '1h' })).messageId)
    }
    const set = 'created_at = $2, available_at = $2, scheduled_at = $2'
    await database.query(`UPDATE symphony.messenger_messages SET ${set} WHERE id = $1`, [ids[1], odd])
    const { messages } = await listMessages()
    expect(messages.map(({ id }) => id)).toEqual(ids)
    expect(messages[0]?.createdAt.getTime()).toBeGreaterThan(0)
    expect((await getMessage(ids[1] ?? ''))?.payload).toEqual({ n: 1 })
    const { status, body } = await get('admin/messages')
    expect([status, body.messages.length]).toEqual([200, 3])
    for (const path of ['status', 'queue-depth', 'metrics']) expect((await get(path)).status, path).toBe(200)
    if (odd.endsWith('infinity')) {
      expect(messages[1]).toMatchObject({ createdAt: new Date(Number.NaN), scheduledAt: null })
      expect(body.messages[1]).toMatchObject({ createdAt: null, availableAt: null, scheduledAt: null })
    }
  })

  test('and a dead letter are listed page by page, and deleted', async () => {
    for (let n = 0; n < 4; n += 1) {
      await dispatch({ type: 'Doomed', payload: { n } })
      await consumeBatch({ registry })
    }
    const all = (await listFailed()).messages
    const change = 'UPDATE symphony.messenger_failed_messages SET failed_at = $2, created_at = $2 WHERE id = ANY ($1)'
    await database.query(change, [[all[1]?.id, all[2]?.id], odd])
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listFailed({ limit: 1, cursor })
      seen.push(...page.messages.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined && seen.length < 10)
    expect([...seen].sort()).toEqual(all.map(({ id }) => id).sort())
    expect(await getFailed(all[1]?.id ?? '')).toMatchObject({ payload: { n: 2 } })
    expect((await get('failed')).body.messages).toHaveLength(4)
    expect(await countFailed()).toMatchObject({ total: 4 })
    // One from the future may have come after the removal began; by its id it can be removed all the same.
    const isToCome = !odd.startsWith('-') && !odd.endsWith('BC')
    expect(await removeFailed({ type: 'Doomed' })).toBe(isToCome ? 2 : 4)
    for (const { id } of (await listFailed()).messages) expect(await removeFailed(id)).toBe(1)
    expect(await countFailed()).toMatchObject({ total: 0 })
  })
})

test('a schedule that cannot be read is listed with the reason, beside the others', async () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    await schedule({ type: 'Planned', payload: { name } }, { cron: '0 9 * * *' }, { name })
  }
  const set = "next_run_at = 'infinity', last_run_at = '-infinity', created_at = 'infinity', until_at = 'infinity'"
  await database.query(`UPDATE symphony.messenger_schedules SET ${set} WHERE name = 'b'`)
  await database.query("UPDATE symphony.messenger_schedules SET headers = '[]' WHERE name = 'c'")
  const [a, b, c, d] = await listSchedules()
  expect([a?.name, b?.name, c?.name, d?.name]).toEqual(['a', 'b', 'c', 'd'])
  expect(b).toMatchObject({
    status: 'active',
    nextRunAt: null,
    lastRunAt: null,
    lastError: null,
    payload: { name: 'b' },
  })
  expect(c).toMatchObject({
    payload: { name: 'c' },
    nextRunAt: null,
    lastError: expect.stringContaining('cannot be read'),
  })
  expect(d?.nextRunAt?.getTime()).toBeGreaterThan(Date.now())
  expect(await pauseSchedule('b')).toMatchObject({ status: 'paused' })
  expect((await get('schedules')).body.schedules).toHaveLength(4)
})
