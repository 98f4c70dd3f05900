import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { setLogger } from '../index.js'
import { freshProcess } from '../testing/fakes/fake-core.js'
import { getLogger } from '../utils.js'
import { createLogger, withFields } from './logger.js'

beforeEach(freshProcess)
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('the default logger', () => {
  test('writes warnings and errors for people', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const info = vi.spyOn(console, 'info').mockReturnValue()
    getLogger().info('unseen')
    getLogger().warn('look', { count: 2, to: 'x' })
    expect(info).not.toHaveBeenCalled()
    expect(warn).toHaveBeenCalledWith('[symphony] look count=2 to="x"')
  })

  test('writes JSON in production, errors and big integers included', () => {
    vi.stubEnv('NODE_ENV', 'production')
    const error = vi.spyOn(console, 'error').mockReturnValue()
    getLogger().error('broken', { error: Object.assign(new TypeError('no'), { code: 'E' }), big: 1n })
    const line = JSON.parse(String(error.mock.calls[0]?.[0]))
    expect(line).toMatchObject({ level: 'error', name: 'symphony', message: 'broken', big: '1' })
    expect(line.error).toMatchObject({ name: 'TypeError', message: 'no', code: 'E' })
  })

  test('never fails for what it is given', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    const error = vi.spyOn(console, 'error').mockReturnValue()
    createLogger({ format: 'json' }).error('cyclic', { cycle })
    createLogger({ format: 'text' }).error('cyclic', { cycle })
    expect(JSON.parse(String(error.mock.calls[0]?.[0])).message).toBe('cyclic')
    expect(error.mock.calls[1]?.[0]).toBe('[symphony] cyclic cycle=?')
  })
})

test('the level decides what is written', () => {
  const debug = vi.spyOn(console, 'debug').mockReturnValue()
  createLogger({ level: 'debug', format: 'text' }).debug('seen')
  createLogger({ level: 'info', format: 'text' }).debug('unseen')
  expect(debug.mock.calls).toEqual([['[symphony] seen']])
})

test('it can be replaced, and put back', () => {
  const usual = getLogger()
  const mine = createLogger()
  setLogger(mine)
  expect(getLogger()).toBe(mine)
  setLogger()
  expect(getLogger()).not.toBe(mine)
  expect(Object.keys(getLogger())).toEqual(Object.keys(usual))
})

test('fields are added to every line', () => {
  const lines: unknown[] = []
  const write = (message: string, fields?: object): void => void lines.push([message, fields])
  const logger = withFields({ debug: write, info: write, warn: write, error: write }, { id: 1 })
  logger.debug('a')
  logger.info('b', { more: 2 })
  logger.warn('c')
  logger.error('d', { id: 3 })
  expect(lines).toEqual([
    ['a', { id: 1 }],
    ['b', { id: 1, more: 2 }],
    ['c', { id: 1 }],
    ['d', { id: 3 }],
  ])
})
