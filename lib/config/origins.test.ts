import { expect, test } from 'vitest'
import type { EffectiveConfig } from './model.js'
import { originsOf } from './origins.js'

const KEYS = [
  { key: 'worker.batchSize', variable: 'SYMPHONY_WORKER_BATCH_SIZE' },
  { key: 'database.url', variable: 'SYMPHONY_DATABASE_URL' },
  { key: 'features.*', variable: 'SYMPHONY_*_ENABLED' },
]

const CONFIG = {
  worker: { batchSize: 10, lease: 30_000, maxCrashes: 3 },
  routing: { 'a.b': ['x'] },
  database: { url: 'postgres://…' },
  features: { enabled: false, emailQueue: true },
} as unknown as EffectiveConfig

function origin(key: string, layers: Partial<Parameters<typeof originsOf>[1]>): object | undefined {
  const found = originsOf(CONFIG, { config: {}, runtime: {}, environment: {}, ...layers }, KEYS)
  const { key: _, value: __, ...rest } = found.find((one) => one.key === key) ?? { key: '', value: '' }
  return rest
}

test('what nobody set is a default', () => {
  expect(origin('worker.lease', { config: { worker: { batchSize: 1 } } })).toEqual({ origin: 'default' })
})

test('run time goes over the environment, which goes over the object', () => {
  const config = { worker: { batchSize: 1 } }
  const environment = { SYMPHONY_WORKER_BATCH_SIZE: '2' }
  expect(origin('worker.batchSize', { config })).toEqual({ origin: 'config' })
  expect(origin('worker.batchSize', { config, environment })).toEqual({
    origin: 'environment',
    variable: 'SYMPHONY_WORKER_BATCH_SIZE',
  })
  expect(origin('worker.batchSize', { config, environment, runtime: config })).toEqual({ origin: 'runtime' })
  expect(origin('worker.batchSize', { config, environment: { SYMPHONY_WORKER_BATCH_SIZE: ' ' } })).toEqual({
    origin: 'config',
  })
})

test('a section of an environment is named', () => {
  const config = { environments: { production: { worker: { batchSize: 5 } } } }
  expect(origin('worker.batchSize', { config, environment: { NODE_ENV: 'production' } })).toEqual({
    origin: 'config',
    section: 'environments.production',
  })
  expect(
    origin('worker.batchSize', { config, environment: { SYMPHONY_ENV: 'staging', NODE_ENV: 'production' } }),
  ).toEqual({ origin: 'default' })
})

test('a name with a dot is one name', () => {
  expect(origin('routing.a.b', { config: { routing: { 'a.b': 'x' } } })).toEqual({ origin: 'config' })
})

test('switches have variables of their own', () => {
  expect(origin('features.emailQueue', { environment: { SYMPHONY_EMAIL_QUEUE_ENABLED: '1' } })).toEqual({
    origin: 'environment',
    variable: 'SYMPHONY_EMAIL_QUEUE_ENABLED',
  })
})

test('the URL of the hosting platform counts only where no other is set', () => {
  const environment = { POSTGRES_URL: 'postgres://…' }
  expect(origin('database.url', { environment })).toEqual({ origin: 'environment', variable: 'POSTGRES_URL' })
  expect(origin('database.url', { environment, config: { database: { url: 'x' } } })).toEqual({ origin: 'config' })
})
