import { consumeBatch, dispatch, HandlerRegistry, Worker } from '@leadmap/symphony'
import { cleanup, doctor, getHealth, listPauses, pause, resume } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres' }, local: { type: 'memory' } } })

beforeEach(async () => {
  await emptyTables(database, 'messenger_controls', 'messenger_audit')
  // Those of the transport in memory.
  for (const { transport, queue, type } of await listPauses()) {
    const named = { transport, queue, type }
    await resume(Object.fromEntries(Object.entries(named).filter(([, name]) => name !== null)))
  }
})

let handled: string[] = []
const registry = new HandlerRegistry()
registry.register('*', ({ type }) => void handled.push(type))
beforeEach(() => {
  handled = []
})

describe('pause()', () => {
  test('keeps a queue, a type or a transport from being handled until resume()', async () => {
    for (const scope of [{ queue: 'bulk' }, { type: 'A' }, { transport: 'email' }, { transport: 'email', type: 'A' }]) {
      await dispatch({ type: 'A', payload: {} }, { transport: 'email', queue: 'bulk' })
      await dispatch({ type: 'B', payload: {} })
      await pause(scope)
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, queueDepth: 1 })
      expect(handled.splice(0)).toEqual(['B'])
      expect(await resume(scope)).toMatchObject(scope)
      expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, queueDepth: 0 })
      expect(handled.splice(0)).toEqual(['A'])
    }
  })

  test('holds in memory as well', async () => {
    await dispatch({ type: 'A', payload: {} }, { transport: 'local' })
    await pause({ transport: 'local' })
    expect(await consumeBatch({ registry, transports: ['local'] })).toMatchObject({ succeeded: 0, queueDepth: 1 })
    await resume({ transport: 'local' })
    expect(await consumeBatch({ registry, transports: ['local'] })).toMatchObject({ succeeded: 1 })
  })

  test('holds for a worker that is at work, which begins again by itself', async () => {
    const worker = new Worker({ registry, pollInterval: 60_000 })
    const ended = worker.run()
    onTestFinished(async () => {
      await worker.stop()
      await ended
    })
    await dispatch({ type: 'First', payload: {} })
    await expect.poll(() => handled).toEqual(['First'])
    await pause({ type: 'Second' })
    await dispatch({ type: 'Second', payload: {} })
    await dispatch({ type: 'Third', payload: {} })
    await expect.poll(() => handled).toEqual(['First', 'Third'])
    // It polls once a minute: only the resumption can wake it.
    await expect
      .poll(() => database.query('SELECT FROM symphony.messenger_workers WHERE waiting').then((rows) => rows.length))
      .toBe(1)
    await resume({ type: 'Second' })
    await expect.poll(() => handled, { timeout: 10_000 }).toEqual(['First', 'Third', 'Second'])
  })

  test('says who, why, since when and until when', async () => {
    const paused = await pause({ queue: 'bulk', actor: 'ada', reason: 'provider down', for: '30m' })
    expect(paused).toEqual({
      transport: null,
      queue: 'bulk',
      type: null,
      actor: 'ada',
      reason: 'provider down',
      since: expect.any(Date),
      until: new Date(paused.since.getTime() + 30 * 60_000),
    })
    expect(await listPauses()).toEqual([paused])
    const until = new Date(Date.now() + 3_600_000)
    expect(await pause({ queue: 'bulk', until })).toMatchObject({ since: paused.since, until, actor: null })
    const said = {
      check: 'pauses',
      severity: 'warning',
      message: expect.stringMatching(/^queue bulk is paused since .* until /),
    }
    expect((await getHealth()).findings).toContainEqual(expect.objectContaining(said))
    expect((await doctor()).findings).toContainEqual(expect.objectContaining(said))
  })

  test('knows a transport by its other names', async () => {
    expect(await pause({ transport: 'default' })).toMatchObject({ transport: 'supabase' })
    expect(await resume({ transport: 'postgres' })).toMatchObject({ transport: 'supabase' })
    expect(await resume({ transport: 'supabase' })).toBeNull()
  })

  test('is over by itself, and its row goes with the clean-up', async () => {
    await dispatch({ type: 'A', payload: {} })
    await pause({ type: 'A', until: new Date(Date.now() - 1_000) })
    expect(await listPauses()).toEqual([])
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    await cleanup()
    expect(await database.query('SELECT FROM symphony.messenger_controls')).toEqual([])
  })

  test.each([
    [{}, 'SYMPHONY_INVALID_CONFIGURATION', /a transport, a queue or a type/],
    [{ queue: '' }, 'SYMPHONY_INVALID_CONFIGURATION', /options\.queue/],
    [{ queue: undefined, type: 'A' }, 'SYMPHONY_INVALID_CONFIGURATION', /leave it out/],
    [{ transport: 'nowhere' }, 'SYMPHONY_UNKNOWN_TRANSPORT', /nowhere/],
    [{ queu: 'a' }, 'SYMPHONY_UNKNOWN_OPTION', /queue/],
    [{ queue: 'a', until: Date.now(), for: '1h' }, 'SYMPHONY_INVALID_CONFIGURATION', /one of the two/],
    [{ queue: 'a', for: 0 }, 'SYMPHONY_INVALID_CONFIGURATION', /options\.for/],
    [{ queue: 'a\0' }, 'SYMPHONY_INVALID_CONFIGURATION', /NUL/],
  ])('refuses %j', async (options, code, message) => {
    await expect(pause(options as never)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await database.query('SELECT FROM symphony.messenger_audit')).toEqual([])
  })
})

test('nothing is listed that nobody has paused', async () => {
  expect(await listPauses()).toEqual([])
  expect(await resume({ queue: 'bulk' })).toBeNull()
})
