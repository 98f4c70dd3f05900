import {
  ConfigurationError,
  type EffectiveConfig,
  getConfig,
  getRetryConfig,
  getTransportConfig,
  getTransportsForMessageType,
  resetConfig,
  type SymphonyConfig,
  setConfig,
  setLogger,
  validateConfig,
} from '@leadmap/symphony'
import { getRuntimeConfigManager } from '@leadmap/symphony/config'
import { getLogger } from '@leadmap/symphony/utils'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

beforeEach(() => resetConfig())

describe('the runtime manager', () => {
  test('changes every part, over environment and object', () => {
    process.env.SYMPHONY_DEFAULT_PRIORITY = '2'
    onTestFinished(() => {
      delete process.env.SYMPHONY_DEFAULT_PRIORITY
      resetConfig()
    })
    resetConfig()
    setConfig({ defaultPriority: 3 })
    const manager = getRuntimeConfigManager()
    manager.setDefaultPriority(7)
    manager.setDefaultQueue('bulk')
    manager.setDefaultTransport('postgres')
    manager.setTransport('redis', { type: 'redis', queue: 'default', priority: 5 })
    manager.setRouting('EmailMessage', 'redis')
    manager.setRetry('EmailMessage', { maxRetries: 9 })
    manager.setWorker({ batchSize: 77 })
    manager.update({ deduplication: { window: '1h' } })
    expect(manager.get()).toEqual(getConfig())
    expect(getConfig()).toMatchObject({
      defaultPriority: 7,
      defaultQueue: 'bulk',
      defaultTransport: 'postgres',
      transports: { redis: { type: 'redis', queue: 'default', priority: 5 } },
      worker: { batchSize: 77 },
      deduplication: { window: 3_600_000 },
    })
    expect(getTransportsForMessageType('EmailMessage')).toEqual(['redis'])
    expect(getRetryConfig('EmailMessage').maxRetries).toBe(9)
    expect(getTransportConfig('redis')).toMatchObject({ type: 'redis', enabled: true })

    manager.reset()
    expect(getConfig()).toMatchObject({ defaultPriority: 2, defaultQueue: 'default' })
    expect(getTransportConfig('redis')).toBeUndefined()
  })

  test('removes a transport from any source, and brings it back', () => {
    const manager = getRuntimeConfigManager()
    setConfig({ transports: { email: { type: 'postgres' } } })
    manager.removeTransport('email')
    manager.removeTransport('never there')
    expect(getTransportConfig('email')).toBeUndefined()
    manager.setTransport('email', { type: 'memory' })
    expect(getTransportConfig('email')).toMatchObject({ type: 'memory' })
  })

  test('refuses what is invalid, and nothing has changed', () => {
    const manager = getRuntimeConfigManager()
    const before = getConfig()
    const seen: EffectiveConfig[] = []
    onTestFinished(manager.onChange((config) => seen.push(config)))
    expect(() => manager.setDefaultPriority(11)).toThrow(/defaultPriority: got 11, wants/)
    expect(() => manager.setTransport('x', { type: 'carrier pigeon' })).toThrow(/transports\.x\.type.*carrier pigeon/)
    expect(() => manager.setRetry('A', { delay: -1 })).toThrow(/retry\.A\.delay: got -1/)
    expect(() => manager.update({ worker: { batchSize: 0 }, defaultPriority: 8 })).toThrow(ConfigurationError)
    expect(getConfig()).toEqual(before)
    expect(seen).toEqual([])
  })
})

describe('a listener', () => {
  test('hears of every change from any source, with what was before', () => {
    const manager = getRuntimeConfigManager()
    const seen: string[] = []
    const forget = manager.onChange((config, previous) => {
      seen.push(`${previous.defaultPriority} to ${config.defaultPriority}`)
    })
    manager.setDefaultPriority(7)
    setConfig({ defaultPriority: 3 })
    manager.reset()
    forget()
    manager.setDefaultPriority(9)
    expect(seen).toEqual(['5 to 7', '7 to 7', '7 to 3'])
  })

  test('that fails stops neither the change nor the other listeners', () => {
    const manager = getRuntimeConfigManager()
    const logged: string[] = []
    setLogger({ ...getLogger(), error: (message) => void logged.push(message) })
    onTestFinished(() => setLogger())
    let heard = 0
    onTestFinished(
      manager.onChange(() => {
        throw new Error('listener')
      }),
    )
    onTestFinished(manager.onChange(() => void heard++))
    manager.setDefaultPriority(7)
    expect(getConfig().defaultPriority).toBe(7)
    expect(heard).toBe(1)
    expect(logged).toEqual(['a configuration listener failed'])
  })
})

describe('what is wrong in a configuration is named', () => {
  test.each<[object, RegExp]>([
    [{ defaultPriorty: 5 }, /defaultPriorty: .*defaultPriority/],
    [{ defaultPriority: '5' }, /defaultPriority: got "5", wants a whole number from 1 to 10/],
    [{ defaultQueue: '' }, /defaultQueue: got ""/],
    [{ transports: { email: {} } }, /transports\.email\.type/],
    [{ transports: { email: { type: 'postgres', queu: 'x' } } }, /transports\.email\.queu/],
    [{ transports: { email: { type: 'postgres', priority: 0 } } }, /transports\.email\.priority: got 0/],
    [{ routing: { A: 5 } }, /routing\.A: got 5/],
    [{ routing: { A: [] } }, /routing\.A/],
    [{ priorityRouting: [{ min: 3 }] }, /priorityRouting/],
    [{ priorityRouting: [{ min: 9, max: 3, transport: 'x' }] }, /priorityRouting/],
    [{ retry: { default: { maxRetries: 1.5 } } }, /retry\.default\.maxRetries: got 1\.5/],
    [{ retry: { default: { multiplier: 0.5 } } }, /retry\.default\.multiplier: got 0\.5/],
    [{ retry: { default: { delay: '5 minutes' } } }, /retry\.default\.delay: got "5 minutes".*such as 500ms/],
    [{ worker: { lease: 10 } }, /worker\.lease: got 10/],
    [{ deduplication: { window: -1 } }, /deduplication\.window/],
    [{ retention: { completed: 'never' } }, /retention\.completed: got "never"/],
    [{ payload: { maxBytes: 0 } }, /payload\.maxBytes: got 0/],
    [{ database: { poolSize: 0 } }, /database\.poolSize: got 0/],
    [{ database: { schema: 'a"b' } }, /database\.schema/],
    [{ features: { enabled: 'yes' } }, /features\.enabled/],
    [{ environments: { production: { routing: 7 } } }, /environments\.production\.routing/],
    [[], /the configuration: got an array, wants an object/],
    [undefined as unknown as object, /the configuration: got undefined, wants an object/],
  ])('%o', (config, words) => {
    const { valid, errors } = validateConfig(config as SymphonyConfig)
    expect(valid).toBe(false)
    expect(errors.join('\n')).toMatch(words)
    const before = getConfig()
    expect(() => setConfig(config as SymphonyConfig)).toThrow(ConfigurationError)
    expect(getConfig()).toEqual(before)
  })

  test('and a good one is good', () => {
    expect(validateConfig({ defaultPriority: 7, routing: { A: ['postgres'] } })).toEqual({ valid: true, errors: [] })
    expect(getConfig().defaultPriority).toBe(5)
  })
})

test('getConfig() gives a copy', () => {
  getConfig().routing.A = ['mine']
  expect(getConfig().routing).toEqual({})
})

test('the object given to setConfig() is copied', () => {
  const routing: Record<string, string[]> = { A: ['postgres'] }
  setConfig({ routing })
  routing.A?.push('sync')
  routing.B = ['sync']
  setConfig({ defaultPriority: 6 })
  expect(getConfig().routing).toEqual({ A: ['postgres'] })
})

test('names such as __proto__ stay data', () => {
  setConfig(JSON.parse('{ "routing": { "__proto__": "memory", "constructor": "sync" } }'))
  expect(getTransportsForMessageType('__proto__')).toEqual(['memory'])
  expect(getTransportsForMessageType('constructor')).toEqual(['sync'])
  expect(getTransportsForMessageType('toString')).toEqual(['supabase'])
  expect(({} as Record<string, unknown>).memory).toBeUndefined()
})
