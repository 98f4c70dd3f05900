import { deleteSchedule, getSchedule, listSchedules, runScheduleNow } from '@leadmap/symphony/admin'
import { nextRuns } from '@leadmap/symphony/utils'
import { describe, expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'

await createQueue()

const daily = '0 9 * * *'
/** Words of the core that say nothing to a caller from JavaScript. */
const RUST = /invalid type|expected|f64|usize|rust|line \d|JSON/

describe('nextRuns()', () => {
  test('takes options that are undefined for absent', () => {
    const options = { timezone: undefined, from: 0, until: undefined, count: 2, seed: undefined }
    expect(nextRuns(daily, options as never)).toEqual([new Date(32_400_000), new Date(118_800_000)])
  })

  test.each<[string, object, RegExp]>([
    ['a zone of another type', { timezone: 5 }, /^options\.timezone: got 5, wants an IANA name/],
    ['a zone that is null', { timezone: null }, /^options\.timezone: got null, wants an IANA name/],
    ['a count of another type', { count: '3' }, /^options\.count: got "3", wants a whole number from 1 to 10000/],
    ['a count that is not a number', { count: Number.NaN }, /^options\.count: got NaN, wants a whole number/],
    ['a count that is not whole', { count: 1.5 }, /^options\.count: got 1.5, wants a whole number/],
    ['a count out of range', { count: 10_001 }, /^options\.count: got 10001, wants a whole number/],
    ['a seed of another type', { seed: {} }, /^options\.seed: got Object, wants a string/],
    ['an instant of another type', { from: '2026-01-01' }, /^options\.from: wants a valid Date/],
    [
      'an option that does not exist',
      { zone: 'UTC' },
      /^options\.zone: unknown option; the options are timezone, from/,
    ],
  ])('refuses %s by name', (_, options, message) => {
    const attempt = () => nextRuns(daily, options as never)
    const code = 'zone' in options ? 'SYMPHONY_UNKNOWN_OPTION' : 'SYMPHONY_INVALID_SCHEDULE'
    expect(attempt).toThrow(expect.objectContaining({ name: 'SchedulerError', code }))
    expect(attempt).toThrow(message)
    expect(attempt).not.toThrow(RUST)
  })
})

test.each<[string, (name: never) => Promise<unknown>]>([
  ['getSchedule', getSchedule],
  ['deleteSchedule', deleteSchedule],
  ['runScheduleNow', runScheduleNow],
  ['listSchedules', (after) => listSchedules({ after })],
])('%s() refuses a name of another type', async (_, act) => {
  const refusal = {
    name: 'SchedulerError',
    code: 'SYMPHONY_INVALID_SCHEDULE',
    message: /(name|after): got 7, wants a string/,
  }
  await expect(act(7 as never)).rejects.toMatchObject({ ...refusal, message: expect.stringMatching(refusal.message) })
})
