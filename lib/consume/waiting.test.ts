import { expect, test, vi } from 'vitest'
import { Log } from '../base/logger.js'
import type { Core } from '../core/core.js'
import { HandlerRegistry } from '../handlers/registry.js'
import { WaitingWarnings } from './waiting.js'

function warnings(): { waiting: WaitingWarnings; named: () => unknown[]; fail: (with_: Error) => void } {
  const warn = vi.fn()
  const log = new Log()
  log.replace({ debug: () => {}, info: () => {}, warn, error: () => {} })
  const ask = vi.fn().mockResolvedValue({ byMessageType: { Idle: { totalProcessed: 0 } } })
  const waiting = new WaitingWarnings({ ask } as unknown as Core, log)
  return {
    waiting,
    named: () => warn.mock.calls.map(([, facts]) => facts.type),
    fail: (error) => ask.mockRejectedValue(error),
  }
}

const registry = new HandlerRegistry()
registry.register('A*', () => 1)

test('a type is named again after a minute, and by one of many at a time', async () => {
  let now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const { waiting, named } = warnings()
  const find = (): Promise<void> => waiting.found('Typo', 't', 'q', registry)
  await Promise.all([find(), find(), find()])
  now += 59_999
  await find()
  expect(named()).toEqual(['Typo'])
  now += 1
  await find()
  await waiting.found('Idle', 't', 'q', registry)
  expect(named()).toEqual(['Typo', 'Typo', 'Idle'])
})

test('a database in trouble makes it silent', async () => {
  const { waiting, named, fail } = warnings()
  fail(new Error('down'))
  await waiting.found('Typo', 't', 'q', registry)
  expect(named()).toEqual([])
})
