import { expect, test } from 'vitest'
import type { KeptClaim } from './claims.js'
import type { Run } from './journal.js'
import { type Excuse, excuses, type Standstill } from './repeats.js'

const LEASE = 2000
const [FIRST, SECOND] = ['7-100', '8-200']

const run = (who: string, started: number): Run => ({ who, n: 1, started, ended: undefined, completed: undefined })
const claim = (pid: number, claimed: number, endedBy = 'settle_finish', expired: number | null = null): KeptClaim => ({
  n: 1,
  pid,
  claimed,
  endedBy,
  ended: claimed + 9000,
  expired,
})

/** What two runs are excused by: 7 had claimed the message at 1000, and lost it as given; 8 has claimed it since. */
function excusesOf(lost: KeptClaim, own: Standstill[], server: Standstill[] = []): (Excuse | undefined)[] {
  const processes = new Map([[FIRST, own]])
  return excuses([run(FIRST, 1010), run(SECOND, 5010)], [lost, claim(8, 5000)], { server, processes }, LEASE)
}

const rescued = claim(7, 1000, 'rescue', 3000)

test('a rescue after a kill, a stop or a standstill of the server is an excuse', () => {
  expect(excusesOf(rescued, [{ from: 2000, to: Number.POSITIVE_INFINITY }])).toEqual(['kill'])
  expect(excusesOf(rescued, [{ from: 1500, to: 2600 }])).toEqual(['stop'])
  expect(excusesOf(rescued, [], [{ from: 1500, to: 2600 }])).toEqual(['standstill of the server'])
})

test('a rescue from a process that was well when its lease ran out is none', () => {
  expect(excusesOf(rescued, [])).toEqual([undefined])
  expect(excusesOf(rescued, [{ from: 1500, to: 2300 }], [{ from: 0, to: 2300 }])).toEqual([undefined])
  expect(excusesOf(rescued, [{ from: 3001, to: Number.POSITIVE_INFINITY }])).toEqual([undefined])
})

test('whatever else has ended the claim of a run is none, though its process stood still', () => {
  const own = [{ from: 2000, to: Number.POSITIVE_INFINITY }]
  for (const by of ['reconcile', 'settle_return', 'settle_finish']) {
    expect(excusesOf(claim(7, 1000, by), own)).toEqual([undefined])
  }
})

test('a run that its process began late, after another one had run and ended it, is judged by its claim', () => {
  const runs = [run(SECOND, 5010), run(FIRST, 6010)]
  const judged = (own: Standstill[]) =>
    excuses(runs, [rescued, claim(8, 5000)], { server: [], processes: new Map([[FIRST, own]]) }, LEASE)
  expect(judged([{ from: 1005, to: 6000 }])).toEqual(['stop'])
  expect(judged([])).toEqual([undefined])
})

test('a run for which there was no claim has no excuse, nor have two runs of one', () => {
  const processes = new Map([[FIRST, [{ from: 2000, to: Number.POSITIVE_INFINITY }]]])
  expect(excuses([run(FIRST, 1010), run('9-300', 5010)], [rescued], { server: [], processes }, LEASE)).toEqual([
    undefined,
  ])
  expect(excuses([run(FIRST, 1010), run(FIRST, 1020)], [rescued], { server: [], processes }, LEASE)).toEqual([
    undefined,
  ])
})
