import { expect, test } from 'vitest'
import type { DeliveryContext } from '../handlers/context.js'
import { InFlight, type Run } from './in-flight.js'

const context = {} as DeliveryContext
const one = (index: number): Run => ({ batch: 0, index, context, started: 0, recalled: false, place: 0 })
const indexes = (running: InFlight) => running.all().map(({ index }) => index)

test('holds what was added and not removed, whatever the order', () => {
  const running = new InFlight()
  const expected = new Set<Run>()
  for (let step = 0; step < 2000; step += 1) {
    const known = [...expected]
    const leaving = known[Math.floor(Math.random() * known.length)]
    if (leaving !== undefined && Math.random() < 0.5) {
      running.remove(leaving)
      expected.delete(leaving)
    } else {
      const run = one(step)
      running.add(run)
      expected.add(run)
    }
    expect(running.size).toBe(expected.size)
  }
  expect(indexes(running).sort()).toEqual([...expected].map(({ index }) => index).sort())
})

test('what leaves while all are looked at is still among them', () => {
  const running = new InFlight()
  const runs = [one(1), one(2), one(3)]
  for (const run of runs) running.add(run)
  for (const run of running.all()) running.remove(run)
  expect(running.size).toBe(0)
})
