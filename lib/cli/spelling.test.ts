import { expect, test } from 'vitest'
import { normalized } from './spelling.js'

const ID = '019a7c1e-0000-7000-8000-000000000001'

test.each([
  ['messenger:consume async -vv', 'consume async -vv'],
  ['messenger:setup-transports', 'migrate'],
  ['setup-transports', 'migrate'],
  ['messenger:stats', 'stats'],
  [`messenger:failed:retry ${ID}`, `failed retry ${ID}`],
  [`failed:remove ${ID}`, `failed remove ${ID}`],
  [`messenger:failed:show ${ID}`, `failed show ${ID}`],
  ['messenger:failed:show --limit 5', 'failed --limit 5'],
  ['messenger:show', 'list'],
  [`messenger:show ${ID}`, `show ${ID}`],
  ['debug:messenger EmailMessage', 'debug EmailMessage'],
  ['debug:scheduler', 'schedules'],
  ['schedules:pause report', 'schedules pause report'],
  ['--env production messenger:stats', '--env production stats'],
])('%s is %s', (given, ours) => {
  expect(normalized(given.split(' '))).toEqual(ours.split(' '))
})

test.each([
  'dispatch failed:retry',
  'schedules pause messenger:stats',
  'dispatch X -- messenger:stats',
  '--env messenger:stats list',
])('%s stays: the colons are in a value', (given) => {
  expect(normalized(given.split(' '))).toEqual(given.split(' '))
})

test('--json=lines takes no value from what follows', () => {
  expect(normalized(['show', '--json=lines', ID])).toEqual(['show', '--json-lines', ID])
  expect(normalized(['dispatch', 'X', '--', '--json=lines'])).toEqual(['dispatch', 'X', '--', '--json=lines'])
})
