import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { getRuntimeConfigManager } from '../config.js'
import { ConfigurationError, setConfig } from '../index.js'
import { freshProcess, theCore } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)
afterEach(() => {
  vi.restoreAllMocks()
})

describe('changes at run time', () => {
  test('are a layer of their own', () => {
    const manager = getRuntimeConfigManager()
    setConfig({ defaultPriority: 3 })
    manager.setDefaultPriority(7)
    manager.setDefaultQueue('q')
    manager.setDefaultTransport('redis')
    manager.setTransport('redis', { type: 'redis', queue: 'default', priority: 5 })
    manager.setRouting('Email*', ['redis'])
    manager.setRetry('A', { maxRetries: 1 })
    manager.setWorker({ batchSize: 50 })
    manager.update({ worker: { maxConcurrency: 9 } })
    expect(theCore().layers.runtime).toEqual({
      defaultPriority: 7,
      defaultQueue: 'q',
      defaultTransport: 'redis',
      transports: { redis: { type: 'redis', queue: 'default', priority: 5 } },
      routing: { 'Email*': ['redis'] },
      retry: { A: { maxRetries: 1 } },
      worker: { batchSize: 50, maxConcurrency: 9 },
    })
    expect(manager.get().defaultPriority).toBe(7)
    manager.reset()
    expect(manager.get().defaultPriority).toBe(3)
    expect(getRuntimeConfigManager()).toBe(manager)
  })

  test('a transport can be removed and brought back', () => {
    const manager = getRuntimeConfigManager()
    manager.removeTransport('nope')
    manager.removeTransport('supabase')
    expect(theCore().layers.runtime).toEqual({ transports: { supabase: null } })
    manager.setTransport('supabase', { type: 'memory' })
    expect(theCore().layers.runtime).toEqual({ transports: { supabase: { type: 'memory' } } })
  })

  test('are told to listeners with both configurations; invalid ones are not, and change nothing', () => {
    const manager = getRuntimeConfigManager()
    const seen: number[][] = []
    const stop = manager.onChange((now, before) => seen.push([now.defaultPriority, before.defaultPriority]))
    const error = vi.spyOn(console, 'error').mockReturnValue()
    manager.onChange(() => {
      throw new Error('mine')
    })
    manager.setDefaultPriority(7)
    setConfig({ defaultQueue: 'q' })
    expect(() => manager.setDefaultPriority(11)).toThrow(ConfigurationError)
    expect(manager.get().defaultPriority).toBe(7)
    stop()
    manager.setDefaultPriority(8)
    expect(seen).toEqual([
      [7, 5],
      [7, 7],
    ])
    expect(error).toHaveBeenCalledTimes(3)
  })
})
