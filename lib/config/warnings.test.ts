import { describe, expect, test } from 'vitest'
import type { SymphonyConfig } from './model.js'
import { overridden, strayRoutes, unknownVariables } from './warnings.js'

const KEYS = [
  { key: 'defaultPriority', variable: 'SYMPHONY_DEFAULT_PRIORITY' },
  { key: 'worker.batchSize', variable: 'SYMPHONY_WORKER_BATCH_SIZE' },
  { key: 'worker.pollInterval', variable: 'SYMPHONY_WORKER_POLL_INTERVAL' },
  { key: 'features.enabled', variable: 'SYMPHONY_ENABLED' },
  { key: 'features.*', variable: 'SYMPHONY_*_ENABLED' },
  { key: 'database.url', variable: 'SYMPHONY_DATABASE_URL' },
]

describe('a key that a variable overrides', () => {
  test.each<[SymphonyConfig, Record<string, string>, number]>([
    [{ defaultPriority: 7 }, { SYMPHONY_DEFAULT_PRIORITY: '3' }, 1],
    [{ defaultPriority: 7 }, { SYMPHONY_DEFAULT_PRIORITY: ' 7 ' }, 0],
    [{ defaultPriority: 7 }, { SYMPHONY_DEFAULT_PRIORITY: '' }, 0],
    [{ defaultPriority: 7 }, { SYMPHONY_WORKER_BATCH_SIZE: '3' }, 0],
    [{ worker: {} }, { SYMPHONY_WORKER_BATCH_SIZE: '3' }, 0],
    [
      { worker: { batchSize: 4, pollInterval: '1s' } },
      { SYMPHONY_WORKER_BATCH_SIZE: '3', SYMPHONY_WORKER_POLL_INTERVAL: '5s' },
      2,
    ],
    [{ worker: { pollInterval: '1s' } }, { SYMPHONY_WORKER_POLL_INTERVAL: '1000' }, 0],
    [{ features: { enabled: true } }, { SYMPHONY_ENABLED: 'Yes' }, 0],
    [{ features: { enabled: true } }, { SYMPHONY_ENABLED: '0' }, 1],
  ])('%j with %j: %d', (change, environment, count) => {
    expect(overridden(change, environment, KEYS)).toHaveLength(count)
  })

  test('is named with its variable, and neither value is shown', () => {
    const change = { database: { url: 'postgres://u:hunter2@here/db' } }
    const [sentence] = overridden(change, { SYMPHONY_DATABASE_URL: 'postgres://u:hunter3@there/db' }, KEYS)
    expect(sentence).toContain('setConfig() sets database.url, and the environment variable SYMPHONY_DATABASE_URL')
    expect(sentence).not.toContain('hunter')
  })
})

test('variables that set nothing are named with what was meant', () => {
  const environment = {
    SYMPHONY_DEFAULT_PRIORTY: '7',
    SYMPHONY_ENABLED: '1',
    SYMPHONY_MAIL_ENABLED: '1',
    SYMPHONY_ENV: 'test',
    SYMPHONY_ORCHESTRA_SEATS: '80',
    SYMPHONY_TEST_DATABASE_URL: 'postgres://',
    NODE_ENV: 'test',
  }
  expect(unknownVariables(environment, KEYS)).toEqual([
    'the environment variable SYMPHONY_DEFAULT_PRIORTY sets nothing; did you mean SYMPHONY_DEFAULT_PRIORITY?',
    'the environment variable SYMPHONY_ORCHESTRA_SEATS sets nothing',
  ])
})

test('routes to transports that are not there are named', () => {
  const transports = { supabase: { type: 'supabase' }, email: { type: 'postgres' } }
  const routing = { A: ['emial', 'email'], 'B*': ['postgres'], C: ['default'] }
  const priorityRouting = [{ min: 8, max: 10, transport: ['vip'], types: ['*'] }]
  const defaultTransport = 'supabse'
  expect(strayRoutes({ transports, routing, priorityRouting, defaultTransport } as never)).toEqual([
    expect.stringContaining('routing.A leads to the transport emial, which is not configured; did you mean email?'),
    expect.stringContaining('priorityRouting[0] leads to the transport vip, which is not configured. Dispatches'),
    expect.stringContaining('defaultTransport leads to the transport supabse, which is not configured; did you mean'),
  ])
})
