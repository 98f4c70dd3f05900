import { consumeBatch, dispatchBatch, HandlerError, HandlerRegistry, setConfig, Worker } from '@leadmap/symphony'
import { getHealth, getMetrics } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({
  retry: { default: { delay: '1ms', maxDelay: '1ms', jitter: 0, maxRetries: 1_000 } },
  circuitBreaker: { types: { Flaky: { failureRate: 0.5, minimumVolume: 10, window: '1m', coolDown: '60s' } } },
})

const many = (type: string, count: number) => Array.from({ length: count }, () => ({ type, payload: {} }))

let broken = true
let runs = 0
const registry = new HandlerRegistry()
registry.register('Flaky', () => {
  runs += 1
  if (broken) throw new RangeError('the other side is down')
})
registry.register('Solid', () => undefined)
registry.register('Invalid', () => Promise.reject(new HandlerError('never', false)))

beforeEach(async () => {
  await emptyTables(database, 'messenger_circuits')
  broken = true
  runs = 0
})

const circuit = async () => (await database.query('SELECT * FROM symphony.messenger_circuits'))[0]
const pauseIsOver = async () => {
  await database.query('UPDATE symphony.messenger_circuits SET probe_at = now()')
  await database.query('UPDATE symphony.messenger_messages_pending SET available_at = now()')
}
const pending = async () => {
  const { queue } = await getMetrics()
  return queue.pending + queue.delayed
}

/** Drains until the type is paused. */
async function trip(): Promise<void> {
  await dispatchBatch(many('Flaky', 20))
  await expect
    .poll(async () => {
      await consumeBatch({ registry, messageLimit: 20 })
      return (await circuit())?.state
    })
    .toBe('open')
  runs = 0
}

describe('a type that fails too often', () => {
  test('is paused, and only it', async () => {
    await trip()
    expect(await circuit()).toMatchObject({ message_type: 'Flaky', reason: 'RangeError', probe_by: null })
    await dispatchBatch(many('Solid', 5))
    expect(await consumeBatch({ registry })).toMatchObject({ claimed: 5, succeeded: 5, drained: true })
    expect(runs).toBe(0)
    expect(await pending()).toBe(20)
    const { status, findings } = await getHealth({ registry })
    expect(status).not.toBe('ok')
    expect(findings.find(({ check }) => check === 'circuitBreakers')).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(/^Flaky is paused: \d+ of \d+ runs failed \(RangeError\); next try at /),
    })
  })

  test('comes back after one message was tried and handled', async () => {
    await trip()
    await pauseIsOver()
    broken = false
    await expect
      .poll(async () => {
        await consumeBatch({ registry })
        return (await circuit())?.state
      })
      .toBe('closed')
    await expect.poll(() => consumeBatch({ registry }).then(pending)).toBe(0)
    expect(runs).toBe(20)
    expect(await getHealth({ registry })).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ check: 'circuitBreakers', severity: 'ok' })]),
    })
  })

  test('stays paused when the message that is tried fails', async () => {
    await trip()
    await pauseIsOver()
    await consumeBatch({ registry })
    await expect.poll(() => consumeBatch({ registry }).then(() => runs)).toBe(1)
    expect(await circuit()).toMatchObject({ state: 'open', probe_by: null })
    expect((await circuit())?.probe_at.getTime()).toBeGreaterThan(Date.now() + 30_000)
  })

  test('is tried with one message, by one of ten invocations', async () => {
    await trip()
    await pauseIsOver()
    await Promise.all(Array.from({ length: 10 }, () => consumeBatch({ registry })))
    expect(runs).toBeLessThanOrEqual(1)
  })

  test('is paused for a worker that handles every type, too', async () => {
    await trip()
    const any = new HandlerRegistry()
    any.register('*', (message: { type: string }) => {
      if (message.type === 'Flaky') runs += 1
    })
    await dispatchBatch(many('Solid', 3))
    const result = await consumeBatch({ registry: any })
    expect(result).toMatchObject({ succeeded: 3, released: 20 })
    expect(runs).toBe(0)
    expect(await pending()).toBe(20)
  })

  test('is told by a long-lived worker', async () => {
    await dispatchBatch(many('Flaky', 30))
    const worker = new Worker({ registry, pollInterval: 20, handleSignals: false })
    onTestFinished(async () => void (await worker.stop()))
    const opened = new Promise((resolve) => worker.once('circuitOpened', resolve))
    void worker.start()
    expect(await opened).toMatchObject({ type: 'Flaky', reason: 'RangeError', delay: 60_000 })
    const closed = new Promise((resolve) => worker.once('circuitClosed', resolve))
    broken = false
    await pauseIsOver()
    expect(await closed).toEqual({ type: 'Flaky' })
    // What was claimed while the circuit opened may have been put off just after the pause was over.
    await expect.poll(() => pauseIsOver().then(pending)).toBe(0)
  })
})

test('errors that another run would not fix do not count', async () => {
  setConfig({ circuitBreaker: { types: { Invalid: { minimumVolume: 5 } } } })
  await dispatchBatch(many('Invalid', 30))
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 30 })
  expect(await circuit()).toBeUndefined()
})

test('a type without a breaker fails as long as it likes', async () => {
  registry.register('Other', () => Promise.reject(new Error('no')))
  await dispatchBatch(many('Other', 30))
  const { retried } = await consumeBatch({ registry, messageLimit: 60 })
  expect(retried).toBe(60)
  expect(await circuit()).toBeUndefined()
})

test('failures of many short invocations add up', async () => {
  await dispatchBatch(many('Flaky', 4))
  for (let call = 0; call < 5 && (await circuit())?.state !== 'open'; call += 1) {
    await consumeBatch({ registry, messageLimit: 3 })
  }
  expect(await circuit()).toMatchObject({ state: 'open' })
})
