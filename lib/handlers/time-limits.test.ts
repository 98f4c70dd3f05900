import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Limited, TimeLimits } from './time-limits.js'

const DAY = 24 * 60 * 60_000

let limits: TimeLimits
let expired: string[]
beforeEach(() => {
  vi.useFakeTimers()
  limits = new TimeLimits()
  expired = []
})
afterEach(() => void vi.useRealTimers())

function add(name: string, after: number, expire = () => {}): Limited {
  const one: Limited = {
    expires: performance.now() + after,
    place: -1,
    expire: () => {
      expired.push(name)
      expire()
    },
  }
  limits.add(one)
  return one
}

test('each is called once, when its time is over, in whatever order they came', () => {
  add('second', 20)
  add('first', 10)
  add('third', 20.5)
  vi.advanceTimersByTime(9)
  expect(expired).toEqual([])
  vi.advanceTimersByTime(1)
  expect(expired).toEqual(['first'])
  vi.advanceTimersByTime(10)
  expect(expired).toEqual(['first', 'second'])
  vi.advanceTimersByTime(DAY)
  expect(expired).toEqual(['first', 'second', 'third'])
})

test('one that has ended is not called, and keeps none of the others from it', () => {
  const ended = [add('ended', 10), add('also ended', 20)]
  add('goes on', 30)
  for (const one of ended) limits.remove(one)
  vi.advanceTimersByTime(30)
  expect(expired).toEqual(['goes on'])
  add('later', 5)
  vi.advanceTimersByTime(5)
  expect(expired).toEqual(['goes on', 'later'])
})

test('one that is given up may end another whose time is over as well', () => {
  add('first', 10, () => limits.remove(other))
  const other = add('other', 10)
  vi.advanceTimersByTime(10)
  expect(expired).toEqual(['first'])
})

test('many with the same limit share one timer', () => {
  for (let n = 0; n < 100; n += 1) add(`${n}`, 10 + n / 1_000)
  expect(vi.getTimerCount()).toBe(1)
})

test('no limit is too long for a timer', () => {
  add('in a year', 365 * DAY)
  vi.advanceTimersByTime(364 * DAY)
  expect(expired).toEqual([])
  vi.advanceTimersByTime(DAY)
  expect(expired).toEqual(['in a year'])
})

test('a clock that a test has put there and taken away keeps no limit from its time', async () => {
  add('of the test', 10)
  vi.useRealTimers()
  await new Promise<void>((resolve) => void add('after it', 10, resolve))
  expect(expired).toContain('after it')
})

test('a clock that a test puts there rings, whatever another one was set to', () => {
  vi.useRealTimers()
  limits.remove(add('has ended', DAY))
  vi.useFakeTimers()
  add('of the test', 2 * DAY)
  vi.advanceTimersByTime(2 * DAY)
  expect(expired).toEqual(['of the test'])
})
