/** What the chart of the example draws. */
import { expect, test } from 'vitest'
import { type Counts, shareOf, startRun, withSample } from '../../examples/nextjs/lib/run.js'

function counts(at: number, some: Partial<Counts>): Counts {
  return { at, due: 0, retrying: 0, running: 0, done: 0, failed: 0, ...some }
}

const idle = startRun(counts(0, { done: 500, failed: 7 }))

test('a run begins when work comes, and its figures are its own', () => {
  const run = withSample(idle, counts(60_000, { due: 90, running: 10, done: 500, failed: 7 }))
  const later = withSample(run, counts(61_000, { due: 40, retrying: 1, running: 9, done: 549, failed: 8 }))
  expect(later.samples.map(({ at }) => at - later.before.at)).toEqual([0, 1_000])
  expect(shareOf(later, later.last)).toEqual({ due: 40, retrying: 1, running: 9, done: 49, failed: 1 })
})

test('it stays as it is while the queue is empty, and the next work begins another one', () => {
  const ended = withSample(
    withSample(idle, counts(1, { due: 1, done: 500, failed: 7 })),
    counts(2, { done: 501, failed: 7 }),
  )
  expect(withSample(ended, counts(9, { done: 501, failed: 7 }))).toBe(ended)
  const next = withSample(ended, counts(10, { due: 3, done: 501, failed: 7 }))
  expect([next.samples.length, next.before.at, next.before.done]).toEqual([1, 10, 501])
})

test('what came and went between two looks is a run, too', () => {
  const run = withSample(idle, counts(5, { done: 501, failed: 7 }))
  expect(shareOf(run, run.last).done).toBe(1)
})

test('a server that started again counts from 0', () => {
  const run = withSample(idle, counts(5, { due: 2, done: 3 }))
  expect(shareOf(run, run.last)).toEqual({ due: 2, retrying: 0, running: 0, done: 0, failed: 0 })
})

test('a long run keeps its beginning and its end, and not every sample', () => {
  let run = idle
  for (let at = 1; at <= 2_000; at += 1) run = withSample(run, counts(at, { due: 5, done: 500 + at, failed: 7 }))
  expect(run.samples.length).toBeLessThanOrEqual(600)
  expect([run.samples[0]?.at, run.last.at]).toEqual([1, 2_000])
})
