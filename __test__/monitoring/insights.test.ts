import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, Worker } from '@leadmap/symphony'
import {
  cleanup,
  getDepths,
  listErrorGroups,
  listRefusedKeys,
  listReleases,
  listWorkers,
  setErrorGroup,
} from '@leadmap/symphony/admin'
import { bearerToken, createSymphonyRoute } from '@leadmap/symphony/http'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { read, request, SECRET } from '../next/support.js'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { maxRetries: 0 } } })

const TABLES = ['metrics', 'depths', 'error_groups', 'releases', 'workers'].map((name) => `messenger_${name}`)
beforeEach(() => emptyTables(database, ...TABLES))

const registry = new HandlerRegistry()
registry.register('Good', () => undefined)
registry.register('Bad', () => Promise.reject(new RangeError('no')))

const route = createSymphonyRoute({ authorize: bearerToken(() => SECRET) })
const call = (method: string, path: string, json?: object) =>
  read(route.handle(request(`/api/symphony/${path}`, { method, ...(json && { json }) })))

test('a worker is listed while it works, with its release, which is noted', async () => {
  process.env.SYMPHONY_RELEASE = 'v42'
  onTestFinished(() => void delete process.env.SYMPHONY_RELEASE)
  const worker = new Worker({ registry, maxConcurrency: 7, pollInterval: 20 })
  const ended = worker.run()
  onTestFinished(async () => {
    await worker.stop()
    await ended
  })
  await dispatch({ type: 'Good', payload: {} })
  await expect.poll(() => listWorkers().then((all) => all.length)).toBe(1)
  const [listed] = await listWorkers()
  expect(listed).toMatchObject({ pid: process.pid, kind: 'worker', concurrency: 7, alive: true, release: 'v42' })
  expect(listed).toMatchObject({
    transports: expect.arrayContaining(['supabase']),
    version: expect.stringMatching(/^\d/),
    stopAt: null,
  })
  expect(listed?.startedAt.getTime()).toBeLessThanOrEqual(listed?.leaseUntil.getTime() ?? 0)
  await cleanup()
  expect(await listReleases()).toEqual([{ release: 'v42', version: listed?.version, firstAt: expect.any(Date) }])
  expect((await call('GET', 'admin/workers')).body.workers).toMatchObject([{ id: listed?.id }])
  expect((await call('GET', 'admin/releases')).body.releases).toMatchObject([{ release: 'v42' }])
})

test('a drain notes how full the queues are when it ends', async () => {
  await dispatchBatch([
    { type: 'Good', payload: {} },
    { type: 'Good', payload: {} },
    { type: 'Good', payload: {} },
  ])
  await dispatch({ type: 'Good', payload: {} }, { queue: 'later', delay: '1h' })
  await consumeBatch({ registry, messageLimit: 1, batchSize: 1, maxConcurrency: 1 })
  const all = (await getDepths({ minutes: 5 })).at(-1)
  expect(all).toMatchObject({ minute: expect.any(Date), pending: 2, delayed: 1, processing: 0, capped: false })
  expect(all?.oldestAge).toBeGreaterThan(0)
  expect(await getDepths({ transport: 'supabase' })).toMatchObject([{ pending: 2, delayed: 0 }])
  expect(await getDepths({ transport: 'supabase', queue: 'later' })).toMatchObject([{ pending: 0, delayed: 1 }])
  const one = await call('GET', 'admin/depths?transport=supabase&queue=later')
  expect(one.body.depths).toMatchObject([{ delayed: 1, oldestAge: null }])
  await expect(getDepths({ queue: 'later' })).rejects.toThrow('options.queue')
  expect(await call('GET', 'admin/depths?queue=later')).toMatchObject({
    status: 400,
    body: { error: { field: 'queue' } },
  })
})

describe('errors', () => {
  test('are grouped, judged, and open again when they are back', async () => {
    const fail = async () => {
      await dispatch({ type: 'Bad', payload: {} })
      await consumeBatch({ registry })
    }
    await fail()
    await fail()
    const group = { type: 'Bad', class: 'RangeError', occurrences: 2, state: 'open', stateAt: null, note: null }
    expect(await listErrorGroups()).toEqual([{ ...group, firstAt: expect.any(Date), lastAt: expect.any(Date) }])
    const said = { type: 'Bad', class: 'RangeError', state: 'resolved', note: 'fixed in 2.4' }
    expect(await call('POST', 'admin/errors', said)).toMatchObject({ status: 200, body: { success: true, ...said } })
    expect((await call('GET', 'admin/errors?state=open')).body.groups).toEqual([])
    expect((await call('GET', 'admin/errors?state=resolved')).body.groups).toMatchObject([{ note: 'fixed in 2.4' }])
    await fail()
    expect(await listErrorGroups({ state: 'open' })).toMatchObject([{ occurrences: 3, note: 'fixed in 2.4' }])
    expect(await setErrorGroup('Bad', 'RangeError', 'ignored')).toBe(true)
    await fail()
    expect(await listErrorGroups({ type: 'Bad' })).toMatchObject([{ occurrences: 4, state: 'ignored', note: null }])
  })

  test('that were never seen are not judged', async () => {
    expect(await setErrorGroup('Bad', 'Never', 'ignored')).toBe(false)
    const unknown = { type: 'Bad', class: 'Never', state: 'ignored' }
    expect((await call('POST', 'admin/errors', unknown)).status).toBe(404)
    expect((await call('POST', 'admin/errors', { type: 'Bad' })).status).toBe(400)
    expect((await call('POST', 'admin/errors', { ...unknown, state: 'odd' })).body.error.field).toBe('state')
    await expect(setErrorGroup('Bad', 'Never', 'odd' as never)).rejects.toThrow(`state: got "odd", wants 'open'`)
  })
})

test('keys that refused dispatches are listed', async () => {
  const { messageId } = await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'a' })
  await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'b' })
  await dispatch({ type: 'Good', payload: {} }, { idempotencyKey: 'a' })
  const [key, ...others] = await listRefusedKeys()
  expect(others).toEqual([])
  expect(key).toMatchObject({ idempotencyKey: 'a', type: 'Good', transport: 'supabase', messageId, refused: 1 })
  expect(await listRefusedKeys({ before: key?.firstSeenAt ?? 0 })).toEqual([])
  expect((await call('GET', 'admin/refused-keys?limit=5')).body.keys).toMatchObject([{ idempotencyKey: 'a' }])
})
