import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ConsumeOptions, consumeBatch, HandlerRegistry, registerHandler, setConfig, snooze } from '../index.js'
import { delivery, type FakeConsumer, freshProcess, theCore, turn } from '../testing/fakes/fake-core.js'
import { errorClassificationMiddleware } from '../utils.js'

beforeEach(() => {
  freshProcess()
  setConfig({})
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Starts a drain, as far as the fake core. */
function start(options: ConsumeOptions = {}): { consumer: FakeConsumer } {
  void consumeBatch(options)
  return { consumer: theCore().consumers.at(-1) as FakeConsumer }
}

/** A handler that ends when it is told to. */
function gates(): {
  handle: () => Promise<unknown>
  open: Array<(value?: unknown) => void>
  fail: Array<(error: Error) => void>
} {
  const open: Array<(value?: unknown) => void> = []
  const fail: Array<(error: Error) => void> = []
  return {
    open,
    fail,
    handle: () =>
      new Promise((resolve, reject) => {
        open.push(resolve)
        fail.push(reject)
      }),
  }
}

const many = (count: number, type = 'A') =>
  Array.from({ length: count }, (_, n) => delivery(type, { id: `${type}${n}` }))

test('outcomes of one turn are settled together', async () => {
  registerHandler('A', () => 1)
  registerHandler('B', () => snooze(5))
  registerHandler('C', () => Promise.reject(new Error('x')))
  const { consumer } = start()
  consumer.deliver(7, [...many(3), delivery('B'), delivery('C')])
  await turn()
  expect(consumer.settlements).toHaveLength(1)
  const sorted = consumer.lines.sort((left, right) => left[1] - right[1])
  expect(sorted.map(([batch, index, , outcome]) => [batch, index, outcome?.as])).toEqual([
    [7, 0, undefined],
    [7, 1, undefined],
    [7, 2, undefined],
    [7, 3, 'snoozed'],
    [7, 4, 'failed'],
  ])
  expect(sorted.every(([, , duration]) => duration >= 0)).toBe(true)
})

test('many outcomes of one turn leave in parts, and are still settled together', async () => {
  registerHandler('A', () => 1)
  const { consumer } = start()
  consumer.deliver(7, many(250))
  await turn()
  expect(consumer.parts).toBe(3)
  expect(consumer.settlements.map(({ length }) => length)).toEqual([250])
  expect(new Set(consumer.lines.map(([, index]) => index)).size).toBe(250)
})

test('starts in the given order as slots come free', async () => {
  const { handle, open } = gates()
  registerHandler('A', handle)
  const { consumer } = start({ maxConcurrency: 2 })
  consumer.deliver(0, many(3))
  consumer.deliver(1, many(1))
  await turn()
  expect(open).toHaveLength(2)
  open[1]?.()
  await turn()
  expect(open).toHaveLength(3)
  expect(consumer.lines.map(([batch, index]) => [batch, index])).toEqual([[0, 1]])
  open[0]?.()
  await turn()
  expect(open).toHaveLength(4)
  for (const end of open) end()
  await turn()
  expect(consumer.lines.map(([batch, index]) => `${batch}.${index}`)).toEqual(['0.1', '0.0', '0.2', '1.0'])
})

test('the configured number of handlers', async () => {
  setConfig({ worker: { maxConcurrency: 1 } })
  const { handle, open } = gates()
  registerHandler('A', handle)
  const { consumer } = start()
  consumer.deliver(0, many(2))
  await turn()
  expect(open).toHaveLength(1)
})

test('their configured time limit', async () => {
  setConfig({ worker: { maxConcurrency: 1, handlerTimeout: 10 } })
  registerHandler('A', gates().handle)
  const { consumer } = start()
  consumer.deliver(0, many(2))
  await vi.waitUntil(() => consumer.lines.length === 2)
  expect(consumer.lines[0]?.[3]).toMatchObject({ as: 'failed', error: { class: 'HandlerTimeoutError' } })
})

test('"return" hands back what has not started', async () => {
  const { handle, open } = gates()
  registerHandler('A', handle)
  const { consumer } = start({ maxConcurrency: 1 })
  consumer.deliver(0, many(3))
  consumer.command({ do: 'return' })
  await turn()
  expect(consumer.lines).toEqual([
    [0, 1, 0, { as: 'released' }],
    [0, 2, 0, { as: 'released' }],
  ])
  open[0]?.()
  await turn()
  expect(open).toHaveLength(1)
  expect(consumer.lines).toHaveLength(3)
})

test('"abort" aborts the signals; what fails then goes back, what succeeds counts', async () => {
  const { handle, open, fail } = gates()
  const signals: AbortSignal[] = []
  registerHandler('A', (_message, _envelope, context) => {
    signals.push(context.signal)
    return handle()
  })
  const { consumer } = start()
  consumer.deliver(0, many(2))
  consumer.command({ do: 'abort', reason: 'timeLimit' })
  expect(signals.map(({ reason }) => String(reason))).toEqual(
    Array(2).fill('AbortError: the run was stopped: timeLimit'),
  )
  open[0]?.()
  fail[1]?.(signals[1]?.reason)
  await turn()
  expect(consumer.lines.map(([, index, , outcome]) => [index, outcome])).toEqual([
    [0, undefined],
    [1, { as: 'released', handled: [] }],
  ])
  consumer.deliver(1, many(1))
  await turn()
  fail[2]?.(new Error('its own'))
  await turn()
  expect(consumer.lines.at(-1)?.[3]).toMatchObject({ as: 'failed' })
})

test('a command that makes no sense, or a core that takes nothing more, is logged and not thrown', async () => {
  const error = vi.spyOn(console, 'error').mockReturnValue()
  registerHandler('A', () => 1)
  const { consumer } = start()
  consumer.command({ do: 'deliver', batch: 0, messages: null })
  consumer.onSettle = () => {
    throw new Error('stopped')
  }
  consumer.deliver(0, many(1))
  await turn()
  expect(error).toHaveBeenCalledTimes(2)
})

test('messages that are with others: what waits is not started, what runs is told, the rest goes on', async () => {
  const { handle, open } = gates()
  const signals = new Map<string, AbortSignal>()
  registerHandler('A', async (_, { id, signal }) => {
    signals.set(id, signal)
    await handle()
  })
  const { consumer } = start({ maxConcurrency: 2 })
  consumer.deliver(3, many(5))
  await turn()
  consumer.command({
    do: 'abort',
    reason: 'leaseLost',
    messages: [
      [3, 0],
      [3, 2],
      [3, 4],
      [4, 1],
    ],
  })
  expect(signals.get('A0')?.aborted).toBe(true)
  expect(String(signals.get('A0')?.reason)).toContain('leaseLost')
  expect(signals.get('A1')?.aborted).toBe(false)
  await turn()
  expect(consumer.lines.map(([, index, , outcome]) => [index, outcome?.as])).toEqual([
    [2, 'released'],
    [4, 'released'],
  ])
  for (const end of open) end()
  await turn()
  expect([...signals.keys()]).toEqual(['A0', 'A1', 'A3'])
  open[2]?.()
  await turn()
  expect(consumer.lines.map(([, index]) => index).sort()).toEqual([0, 1, 2, 3, 4])
})

test('a lost message is not handed back twice', async () => {
  const { handle } = gates()
  registerHandler('A', handle)
  const { consumer } = start({ maxConcurrency: 1 })
  consumer.deliver(0, many(3))
  consumer.command({ do: 'abort', reason: 'leaseLost', messages: [[0, 1]] })
  consumer.command({ do: 'return' })
  await turn()
  expect(consumer.lines.map(([, index]) => index).sort()).toEqual([1, 2])
})

test('where the core refuses a text each outcome goes by itself, and one refused alone as a failed run', async () => {
  registerHandler('A', () => 1)
  const { consumer } = start()
  const settle = consumer.settle.bind(consumer)
  vi.spyOn(consumer, 'settle').mockImplementation((outcomes, more) => {
    if (/\[7,3,[\d.e-]+\]/.test(outcomes)) throw new Error('refused')
    settle(outcomes, more)
  })
  consumer.deliver(7, many(5))
  await turn()
  const told = consumer.lines.sort((left, right) => left[1] - right[1])
  expect(told.map(([, index, , outcome]) => [index, outcome?.as])).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
    [3, 'failed'],
    [4, undefined],
  ])
  expect(consumer.settlements).toHaveLength(1)
})

test('an invalid outcome fails its own run', async () => {
  const registry = new HandlerRegistry()
  registry.use(errorClassificationMiddleware(() => null as unknown as boolean))
  registry.register('A', ({ payload }) => {
    if (payload.n === 2) throw new Error('boom')
  })
  const { consumer } = start({ registry })
  consumer.deliver(7, [...many(2), delivery('A', { payload: { n: 2 } })])
  await turn()
  expect(consumer.lines.find(([, index]) => index === 2)?.[3]).toMatchObject({
    as: 'failed',
    retryable: true,
    error: { class: 'InvalidOutcome', message: expect.stringContaining('boom') },
  })
  expect(consumer.lines.filter(([, , , outcome]) => outcome === undefined)).toHaveLength(2)
})
