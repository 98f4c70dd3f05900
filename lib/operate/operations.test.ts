import { beforeEach, describe, expect, test } from 'vitest'
import { cleanup, getFailed, listFailed, migrationStatus, removeFailed, retryFailed, rollback } from '../admin.js'
import { ConfigurationError, getConfig, migrate, TransportError } from '../index.js'
import { freshProcess, nativeError, theCore } from '../testing/fakes/fake-core.js'

beforeEach(() => {
  freshProcess()
  getConfig()
})

const ID = '01a1fc25-df1b-7683-8144-905c866371f6'

const dead = {
  id: 'd',
  messageId: 'm',
  type: 'A',
  failedAt: 3,
  createdAt: 1,
  errorHistory: [{ at: 2, class: 'E', message: 'x' }],
}
const deadWithDates = {
  ...dead,
  failedAt: new Date(3),
  createdAt: new Date(1),
  errorStack: null,
  errorHistory: [{ at: new Date(2), class: 'E', message: 'x' }],
}

describe('dead letters', () => {
  test('a page', async () => {
    theCore().answers.listFailed = { messages: [dead], nextCursor: 'c' }
    const page = await listFailed({ type: 'A', failedAfter: new Date(5), failedBefore: 9, limit: 10, cursor: 'b' })
    expect(page).toEqual({ messages: [deadWithDates], nextCursor: 'c' })
    theCore().answers.listFailed = { messages: [] }
    expect(await listFailed()).toEqual({ messages: [], nextCursor: null })
    expect(theCore().calls).toEqual([
      ['listFailed', { type: 'A', limit: 10, cursor: 'b', failedAfter: 5, failedBefore: 9 }],
      ['listFailed', {}],
    ])
    await expect(listFailed({ failedAfter: new Date(Number.NaN) })).rejects.toThrow('option failedAfter')
  })

  test('one', async () => {
    expect(await getFailed('none')).toBeNull()
    theCore().answers.getFailed = dead
    expect(await getFailed('d')).toEqual(deadWithDates)
  })

  test('retried and removed, by id or filter', async () => {
    const retried = [{ failedMessageId: 'd', messageId: 'n', transport: 't' }]
    theCore().answers.retryFailed = { retried }
    theCore().answers.removeFailed = { removed: 2 }
    expect(await retryFailed(ID)).toEqual(retried)
    expect(await removeFailed({ errorClass: 'TypeError' })).toBe(2)
    expect(await removeFailed({})).toBe(2)
    expect([await retryFailed('no id'), await removeFailed('no id')]).toEqual([[], 0])
    expect(theCore().calls).toEqual([
      ['retryFailed', { ids: [ID] }],
      ['removeFailed', { errorClass: 'TypeError' }],
      ['removeFailed', {}],
    ])
  })

  test('a filter that would match more than was meant is refused', async () => {
    for (const filter of [{ type: undefined }, undefined, null]) {
      await expect(removeFailed(filter as never)).rejects.toThrow(ConfigurationError)
      await expect(retryFailed(filter as never)).rejects.toThrow(ConfigurationError)
    }
    expect(theCore().calls).toEqual([])
  })

  test('an error of the core is one of ours', async () => {
    theCore().answers.listFailed = nativeError({ class: 'TransportError', code: 'SYMPHONY_TIMEOUT', message: 'slow' })
    await expect(listFailed()).rejects.toThrow(TransportError)
  })
})

test('migrations', async () => {
  theCore().answers.migrate = { applied: [{ version: 1, name: 'messages' }], version: 1 }
  theCore().answers.rollback = { reverted: [], version: 0 }
  theCore().answers.migrationStatus = { version: 0, latest: 1, pending: [] }
  expect(await migrate({ schema: 's' })).toMatchObject({ version: 1 })
  await migrate()
  expect(await rollback({ to: 0 })).toEqual({ reverted: [], version: 0 })
  expect(await migrationStatus()).toMatchObject({ latest: 1 })
  expect(theCore().calls).toEqual([
    ['migrate', { schema: 's' }],
    ['migrate', {}],
    ['rollback', { to: 0 }],
    ['migrationStatus', null],
  ])
})

test('clean-up', async () => {
  theCore().answers.cleanup = { completed: 1, failed: 2, deduplication: 3 }
  expect(await cleanup({ limit: 5 })).toEqual({ completed: 1, failed: 2, deduplication: 3 })
  await cleanup()
  expect(theCore().calls).toEqual([
    ['cleanup', { limit: 5 }],
    ['cleanup', {}],
  ])
})
