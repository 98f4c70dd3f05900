import { setTimeout as sleep } from 'node:timers/promises'
import { dispatchBatch, HandlerRegistry, Worker } from '@leadmap/symphony'
import { listAudit, stopWorkers } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({
  transports: { email: { type: 'postgres' } },
  // A heart that beats every second.
  worker: { lease: '3s' },
})

beforeEach(() => emptyTables(database, 'messenger_audit', 'messenger_workers'))

interface Running {
  worker: Worker
  ended: Promise<unknown>
}

/** Starts a worker and waits until it is registered. */
async function start(registry: HandlerRegistry, transports: string[], known: number): Promise<Running> {
  const worker = new Worker({ registry, transports, pollInterval: 20, maxConcurrency: 3, batchSize: 10 })
  const ended = worker.run()
  onTestFinished(async () => {
    await worker.stop()
    await ended
  })
  await expect.poll(() => rows().then((all) => all.length), { timeout: 10_000 }).toBe(known)
  return { worker, ended }
}

const rows = (): Promise<Record<string, unknown>[]> =>
  database.query('SELECT id, transports FROM symphony.messenger_workers ORDER BY started_at')

const messages = (count: number): Promise<unknown> =>
  dispatchBatch(Array.from({ length: count }, () => ({ type: 'A', payload: {} })))

describe('stopWorkers()', () => {
  test('returns when nothing is in flight, and what was not begun has used no attempt', async () => {
    for (let round = 0; round < 4; round += 1) {
      await emptyTables(database, 'messenger_workers')
      let running = 0
      const registry = new HandlerRegistry()
      registry.register('A', async () => {
        running += 1
        await sleep(20)
        running -= 1
      })
      const all = [await start(registry, ['supabase'], 1), await start(registry, ['supabase'], 2)]
      await messages(2_000)
      await expect.poll(() => running).toBeGreaterThan(0)
      const seen: number[] = []
      const { asked, waitingFor } = await stopWorkers({
        wait: true,
        actor: 'ada',
        onProgress: (left) => seen.push(left.length),
      })
      expect(running).toBe(0)
      expect({ asked: asked.length, waitingFor }).toEqual({ asked: 2, waitingFor: [] })
      expect(seen.at(-1)).toBe(0)
      for (const { ended } of all) expect(await ended).toMatchObject({ stoppedBy: 'stopped' })
      const left = await database.query<{ n: number; tried: number; held: number }>(
        `SELECT count(*) FILTER (WHERE status = 'pending')::int AS n,
                count(*) FILTER (WHERE status = 'pending' AND (retry_count > 0 OR crash_count > 0))::int AS tried,
                count(*) FILTER (WHERE status = 'processing')::int AS held
         FROM symphony.messenger_messages`,
      )
      expect(left[0]?.n).toBeGreaterThan(0)
      expect(left[0]).toMatchObject({ tried: 0, held: 0 })
    }
    expect((await listAudit()).entries[0]).toMatchObject({ action: 'stopWorkers', actor: 'ada', done: 2 })
  })

  test('stops those of a transport, or of some ids, and leaves the others at work', async () => {
    const registry = new HandlerRegistry()
    registry.register('A', () => undefined)
    const mails = await start(registry, ['email'], 1)
    await start(registry, ['supabase'], 2)
    await start(registry, ['supabase'], 3)
    const [, second] = await rows()
    expect((await stopWorkers({ transport: 'email', wait: true })).asked).toHaveLength(1)
    await mails.ended
    expect(await rows()).toHaveLength(2)
    const { asked } = await stopWorkers({ ids: [String(second?.id)], wait: true })
    expect(asked.map(({ id }) => id)).toEqual([second?.id])
    expect(await rows()).toHaveLength(1)
    await expect(stopWorkers({ transport: 'nowhere' })).rejects.toMatchObject({ code: 'SYMPHONY_UNKNOWN_TRANSPORT' })
  })

  test('asks again whom it waits for and who has not been asked, as after a false death', async () => {
    const registry = new HandlerRegistry()
    registry.register('A', () => undefined)
    const { ended } = await start(registry, ['supabase'], 1)
    let forgotten: Promise<unknown> | undefined
    const { waitingFor } = await stopWorkers({
      wait: true,
      timeout: 20_000,
      onProgress() {
        forgotten ??= database.query('UPDATE symphony.messenger_workers SET stop_at = NULL')
      },
    })
    await forgotten
    expect(waitingFor).toEqual([])
    await ended
  })

  test('says whom it still waits for when its time is up', async () => {
    let end = (): void => undefined
    const blocked = new Promise<void>((resolve) => {
      end = resolve
    })
    const registry = new HandlerRegistry()
    registry.register('A', () => blocked)
    const { ended } = await start(registry, ['supabase'], 1)
    await messages(1)
    await expect
      .poll(() => database.query('SELECT FROM symphony.messenger_messages_processing').then((it) => it.length))
      .toBe(1)
    const { waitingFor } = await stopWorkers({ wait: true, timeout: 1_000 })
    expect(waitingFor).toMatchObject([{ running: 1, pid: process.pid }])
    end()
    await ended
  })

  test('has nothing to do where nobody works', async () => {
    expect(await stopWorkers({ wait: true })).toEqual({ asked: [], waitingFor: [] })
    expect((await listAudit()).entries).toEqual([])
  })
})
