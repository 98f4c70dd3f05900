import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry } from '@leadmap/symphony'
import { beforeEach, expect, test } from 'vitest'
import { createQueue, emptyTables } from './support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0 } } })

beforeEach(() => emptyTables(database))

interface Seen {
  type: string
  priority: number
  n: number
}

/** Handles everything one by one and tells the order. */
async function handledOrder(): Promise<Seen[]> {
  const order: Seen[] = []
  const registry = new HandlerRegistry()
  registry.register(
    '*',
    ({ type, payload }, { priority }) => void order.push({ type, priority, n: payload.n as number }),
  )
  await consumeBatch({ registry, maxConcurrency: 1, batchSize: 7 })
  return order
}

test('highest priority first, and first in first out inside one, over types, calls and batches', async () => {
  const expected: Seen[] = []
  let n = 0
  const next = (round: number) => {
    const priority = ((round * 7) % 10) + 1
    const seen = { type: `Type${round % 3}`, priority, n: n++ }
    expected.push(seen)
    return { message: { type: seen.type, payload: { n: seen.n } }, options: { priority } }
  }
  for (let round = 0; round < 20; round += 1) {
    const { message, options } = next(round)
    await dispatch(message, options)
  }
  await dispatchBatch(Array.from({ length: 50 }, (_, round) => next(round)))
  await Promise.all(
    Array.from({ length: 30 }, (_, round) => next(round)).map(({ message, options }) => dispatch(message, options)),
  )
  expected.sort((left, right) => right.priority - left.priority || left.n - right.n)
  expect(await handledOrder()).toEqual(expected)
})

test('a high priority that waits for its time lets a low one pass', async () => {
  await dispatch({ type: 'Later', payload: { n: 1 } }, { priority: 10, delay: '1d' })
  await dispatch({ type: 'Now', payload: { n: 2 } }, { priority: 1 })
  expect(await handledOrder()).toEqual([{ type: 'Now', priority: 1, n: 2 }])
})

test('a retry keeps its priority', async () => {
  await dispatch({ type: 'A', payload: { n: 1 } }, { priority: 9 })
  await dispatchBatch(
    Array.from({ length: 20 }, (_, n) => ({ type: 'B', payload: { n } })),
    { priority: 2 },
  )
  const failing = new HandlerRegistry()
  failing.register('*', () => Promise.reject(new Error('once more')))
  expect(await consumeBatch({ registry: failing, messageLimit: 1 })).toMatchObject({ retried: 1 })
  const order = await handledOrder()
  expect(order[0]).toEqual({ type: 'A', priority: 9, n: 1 })
  expect(order).toHaveLength(21)
})
