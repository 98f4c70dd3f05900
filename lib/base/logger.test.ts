import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { close, setConfig, setLogger } from '../index.js'
import { freshProcess, theCore } from '../testing/fakes/fake-core.js'
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

describe('lines of the core', () => {
  const config = (logging: object): void => setConfig({ logging } as never)
  const line = (level: string) => ({ level, message: 'claim', fields: { target: 'symphony::worker', claimed: 3 } })

  test('are asked for from the level of the logger on, and again whenever that may have changed', () => {
    setConfig({})
    expect(theCore().logLevels.at(-1)).toBe('warn')
    config({ level: 'debug' })
    expect(theCore().logLevels.at(-1)).toBe('debug')
    const ignore = (): void => undefined
    setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore, enabled: (level) => level === 'error' })
    expect(theCore().logLevels.at(-1)).toBe('error')
    setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore })
    expect(theCore().logLevels.at(-1)).toBe('debug')
    setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore, enabled: () => false })
    expect(theCore().logLevels.at(-1)).toBe('silent')
  })

  test('are written with their fields, also where only a target asks for their level', () => {
    const debug = vi.spyOn(console, 'debug').mockReturnValue()
    config({ level: 'warn', format: 'text', targets: { 'symphony::worker': 'debug' } })
    theCore().log(line('debug'))
    expect(debug.mock.calls).toEqual([['[symphony] claim target="symphony::worker" claimed=3']])
  })

  test('go to the logger of the application, whose failures end in the console', () => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const seen: unknown[] = []
    const fail = (): never => {
      throw new Error('full')
    }
    setConfig({})
    setLogger({ debug: fail, info: (message, fields) => seen.push([message, fields]), warn: fail, error: fail })
    theCore().log(line('info'), line('error'))
    expect(seen).toEqual([['claim', { target: 'symphony::worker', claimed: 3 }]])
    expect(String(error.mock.calls[0])).toContain('the logger failed')
    expect(String(error.mock.calls[1])).toContain('claim')
  })

  test('are wanted no more when the core was closed', async () => {
    setConfig({ logging: { level: 'debug' } })
    const core = theCore()
    await close()
    expect(core.logLevels.at(-1)).toBe('silent')
    setLogger()
    expect(core.logLevels.at(-1)).toBe('silent')
  })
})
