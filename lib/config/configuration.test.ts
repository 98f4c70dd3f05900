import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defineConfig, retryDelay } from '../config.js'
import {
  ConfigurationError,
  close,
  getConfig,
  getRetryConfig,
  getTransportConfig,
  getTransportsForMessageType,
  resetConfig,
  setConfig,
  validateConfig,
} from '../index.js'
import { fakes, freshProcess, theCore } from '../testing/fakes/fake-core.js'
import { snapshot } from './layers.js'

beforeEach(freshProcess)
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('the configuration object', () => {
  test('is merged: objects deeply, arrays replaced', () => {
    setConfig({ routing: { A: 'email' }, transports: { email: { type: 'supabase', queue: 'email' } } })
    setConfig({ routing: { B: ['x', 'y'] }, transports: { email: { type: 'supabase', priority: 7 } } })
    expect(theCore().layers.config).toEqual({
      routing: { A: 'email', B: ['x', 'y'] },
      transports: { email: { type: 'supabase', queue: 'email', priority: 7 } },
    })
    expect(getTransportConfig('email')).toEqual({ type: 'supabase', queue: 'email', priority: 7 })
  })

  test('is a copy: later changes of the given object do not reach it', () => {
    const routes = ['a']
    setConfig({ routing: { A: routes } })
    routes.push('b')
    setConfig({ defaultQueue: 'q' })
    expect(theCore().layers.config.routing).toEqual({ A: ['a'] })
  })

  test('an invalid one throws and changes nothing, before and after first use', () => {
    expect(() => setConfig({ defaultPriority: 11 })).toThrow(ConfigurationError)
    expect(getConfig().defaultPriority).toBe(5)
    expect(() => setConfig({ defaultPriority: 0 })).toThrow('defaultPriority: got 0')
    expect(getConfig().defaultPriority).toBe(5)
    expect(() => setConfig({ defaultQueue: 1n as never })).toThrow('not plain data')
  })

  test('what getConfig gives is a copy', () => {
    getConfig().worker.batchSize = 99
    expect(getConfig().worker.batchSize).toBe(10)
  })

  test('defineConfig only types it', () => {
    const config = defineConfig({ defaultQueue: 'q' })
    expect(config).toEqual({ defaultQueue: 'q' })
    expect(fakes).toHaveLength(0)
  })
})

describe('the environment', () => {
  test('is read at first use, by close() and by resetConfig()', async () => {
    vi.stubEnv('SYMPHONY_DEFAULT_QUEUE', 'first')
    vi.stubEnv('POSTGRES_URL', 'postgres://x')
    getConfig()
    expect(theCore().layers.environment).toMatchObject({
      SYMPHONY_DEFAULT_QUEUE: 'first',
      POSTGRES_URL: 'postgres://x',
    })
    vi.stubEnv('SYMPHONY_DEFAULT_QUEUE', 'second')
    setConfig({ defaultPriority: 7 })
    expect(theCore().layers.environment.SYMPHONY_DEFAULT_QUEUE).toBe('first')
    resetConfig()
    expect(theCore().layers).toMatchObject({
      config: {},
      runtime: {},
      environment: { SYMPHONY_DEFAULT_QUEUE: 'second' },
    })
    vi.stubEnv('SYMPHONY_DEFAULT_QUEUE', 'third')
    const before = theCore()
    await close()
    expect(before.closed).toBe(true)
    getConfig()
    expect(theCore()).not.toBe(before)
    expect(theCore().layers.environment.SYMPHONY_DEFAULT_QUEUE).toBe('third')
    await close()
    await close()
  })

  test('nothing else is taken from it', () => {
    const given = {
      SYMPHONY_X: '1',
      DATABASE_URL: 'u',
      NODE_ENV: 'test',
      PATH: '/bin',
      AWS_SECRET: 's',
      NONE: undefined,
    }
    expect(snapshot(given as never)).toEqual({ SYMPHONY_X: '1', DATABASE_URL: 'u', NODE_ENV: 'test' })
  })
})

describe('questions', () => {
  test('transports', () => {
    setConfig({ transports: { default: 'sync' } })
    expect(getTransportConfig('sync')).toEqual({ type: 'sync' })
    expect(getTransportConfig('nope')).toBeUndefined()
    expect(getTransportsForMessageType('A')).toEqual(['supabase'])
    getTransportsForMessageType('A', 9)
    expect(theCore().calls).toEqual([
      ['transportsFor', ['A', null]],
      ['transportsFor', ['A', 9]],
    ])
  })

  test('the default transport by that name', () => {
    expect(getTransportConfig('default')).toEqual({ type: 'supabase' })
  })

  test('retry strategies: the most specific, else the default', () => {
    const strategy = (maxRetries: number) => ({ maxRetries, delay: 1, multiplier: 1, maxDelay: 1, jitter: 0 })
    setConfig({ retry: { EmailMessage: strategy(9), 'Email*': strategy(8), 'E*': strategy(7) } })
    const retries = ['EmailMessage', 'EmailX', 'Else', 'X'].map((type) => getRetryConfig(type).maxRetries)
    expect(retries).toEqual([9, 8, 7, 10])
  })

  test('validity, without putting anything in force', () => {
    expect(validateConfig({ defaultPriority: 7 })).toEqual({ valid: true, errors: [] })
    expect(validateConfig({ defaultPriority: 11 })).toEqual({
      valid: false,
      errors: ['defaultPriority: got 11, wants a whole number from 1 to 10'],
    })
    expect(validateConfig({ defaultQueue: 1n as never }).valid).toBe(false)
    expect(getConfig().defaultPriority).toBe(5)
  })

  test('the wait before a retry', () => {
    expect(retryDelay({ delay: 500 }, 2)).toBe(2_000)
    for (const bad of [-1, 1.5, Number.NaN]) expect(() => retryDelay({}, bad)).toThrow(ConfigurationError)
  })
})
