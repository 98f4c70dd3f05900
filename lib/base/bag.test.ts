import { expect, test } from 'vitest'
import { Bag, type Placed } from './bag.js'

interface One extends Placed {
  index: number
}

const one = (index: number): One => ({ index, place: -1 })
const indexes = (running: Bag<One>) => running.all().map(({ index }) => index)

test('holds what was added and not removed, whatever the order', () => {
  const running = new Bag<One>()
  const expected = new Set<One>()
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
  const running = new Bag<One>()
  const runs = [one(1), one(2), one(3)]
  for (const run of runs) running.add(run)
  for (const run of running.all()) running.remove(run)
  expect(running.size).toBe(0)
})

test('what is not in it can be taken out of it, and nothing else leaves', () => {
  const running = new Bag<One>()
  const [left, stays] = [one(1), one(2)]
  for (const each of [left, stays]) running.add(each)
  running.remove(left)
  running.remove(left)
  running.remove(one(3))
  expect(indexes(running)).toEqual([2])
})
