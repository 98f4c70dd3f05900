import { beforeEach, describe, expect, test } from 'vitest'
import {
  cancelMessage,
  cleanup,
  configureNotifications,
  countFailed,
  doctor,
  getDuplicateAttempts,
  getFailed,
  getHealth,
  getMessage,
  getMetrics,
  listFailed,
  listMessages,
  listSchedules,
  migrationStatus,
  removeFailed,
  retryFailed,
  rollback,
} from '../admin.js'
import { createSchedulerRoute, createSymphonyRoute } from '../http.js'
import {
  ConfigurationError,
  consumeBatch,
  createSymphony,
  getConfig,
  migrate,
  runDueSchedules,
  TransportError,
  Worker,
} from '../index.js'
import { freshProcess, nativeError, theCore } from '../testing/fakes/fake-core.js'

beforeEach(() => {
  freshProcess()
  getConfig()
})

const ID = '01a1fc25-df1b-7683-8144-905c866371f6'

const outline = { id: 'd', messageId: 'm', type: 'A', failedAt: 3, createdAt: 1, payloadPreview: '{', payloadBytes: 9 }
const listed = { ...outline, failedAt: new Date(3), createdAt: new Date(1) }
const dead = {
  id: 'd',
  messageId: 'm',
  type: 'A',
  failedAt: 3,
  createdAt: 1,
  payloadText: '{"n":9007199254740993}',
  errorHistory: [{ at: 2, class: 'E', message: 'x' }],
}
const deadWithDates = {
  ...dead,
  failedAt: new Date(3),
  createdAt: new Date(1),
  payload: { n: 9007199254740992 },
  errorStack: null,
  errorHistory: [{ at: new Date(2), class: 'E', message: 'x' }],
}

describe('dead letters', () => {
  test('a page', async () => {
    theCore().answers.listFailed = { messages: [outline], nextCursor: 'c', searchedTo: 7 }
    const page = await listFailed({ type: 'A', failedAfter: new Date(5), failedBefore: 9, limit: 10, cursor: 'b' })
    expect(page).toEqual({ messages: [listed], nextCursor: 'c', searchedTo: new Date(7) })
    theCore().answers.listFailed = { messages: [dead], nextCursor: null, searchedTo: null }
    const full = { messages: [deadWithDates], nextCursor: null, searchedTo: null }
    expect(await listFailed({ full: true })).toEqual(full)
    expect(theCore().calls).toEqual([
      ['listFailed', { type: 'A', limit: 10, cursor: 'b', failedAfter: 5, failedBefore: 9 }],
      ['listFailed', { full: true }],
    ])
    await expect(listFailed({ failedAfter: new Date(Number.NaN) })).rejects.toThrow('options.failedAfter')
    await expect(removeFailed({ failedAfter: 1_796_072_538 })).rejects.toThrow(
      'options.failedAfter: got 1796072538, wants milliseconds since the epoch, not seconds',
    )
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
      ['retryFailed', { operation: { action: 'retry' }, ids: [ID], because: {} }],
      ['removeFailed', { operation: { action: 'remove' }, filter: { errorClass: 'TypeError' }, because: {} }],
      ['removeFailed', { operation: { action: 'remove' }, filter: {}, because: {} }],
    ])
  })

  test('a filter that would match more than was meant is refused', async () => {
    for (const filter of [
      { type: undefined },
      undefined,
      null,
      [],
      [ID],
      new Set([ID]),
      Promise.resolve({ type: 'A' }),
    ]) {
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

describe('mistakes in a call', () => {
  const unknown: Array<[name: string, call: (options: never) => unknown, stray: string, meant: string]> = [
    ['listMessages', listMessages, 'typ', 'type'],
    ['listFailed', listFailed, 'errorclass', 'errorClass'],
    ['countFailed', countFailed, 'failedafter', 'failedAfter'],
    ['retryFailed', retryFailed, 'trasnport', 'transport'],
    ['removeFailed', removeFailed, 'queues', 'queue'],
    ['getMetrics', getMetrics, 'minute', 'minutes'],
    ['cleanup', cleanup, 'limits', 'limit'],
    ['migrate', migrate, 'shema', 'schema'],
    ['rollback', rollback, 'To', 'to'],
    ['getHealth', getHealth, 'registy', 'registry'],
    ['doctor', doctor, 'registy', 'registry'],
    ['listSchedules', listSchedules, 'limits', 'limit'],
    ['runDueSchedules', runDueSchedules, 'timelimit', 'timeLimit'],
    ['consumeBatch', consumeBatch, 'timelimit', 'timeLimit'],
    ['createSymphony', createSymphony, 'databaseURL', 'databaseUrl'],
    ['createSymphonyRoute', createSymphonyRoute, 'authorise', 'authorize'],
    ['createSchedulerRoute', createSchedulerRoute, 'maxduration', 'maxDuration'],
    ['configureNotifications', configureNotifications, 'chanels', 'channels'],
    ['Worker.stop', (options) => new Worker().stop(options), 'timeOut', 'timeout'],
  ]

  test.each(unknown)(
    '%s: an option that does not exist is refused, with what was meant',
    async (_, call, stray, meant) => {
      const problem = await Promise.resolve()
        .then(() => call({ [stray]: 1 } as never))
        .catch((thrown: unknown) => thrown)
      expect(problem).toMatchObject({
        code: 'SYMPHONY_UNKNOWN_OPTION',
        message: expect.stringMatching(
          new RegExp(`^options\\.${stray}: unknown option; the options are .*${meant}.*; did you mean "${meant}"\\?$`),
        ),
      })
      expect(theCore().calls).toEqual([])
    },
  )

  test.each<[string, () => Promise<unknown>, string]>([
    ['cancelMessage', () => cancelMessage({ type: 'A' } as never), 'id: got Object, wants a string'],
    ['getMessage', () => getMessage(7 as never), 'id: got 7, wants a string'],
    ['getFailed', () => getFailed(undefined as never), 'id: got undefined, wants a string'],
    ['getDuplicateAttempts', () => getDuplicateAttempts({} as never), 'idempotencyKey: got Object, wants a string'],
    ['status', () => listMessages({ status: 'done' as never }), `options.status: got "done", wants 'pending' or `],
    ['priority', () => listMessages({ priority: 11 }), 'options.priority: got 11, wants a whole number from 1 to 10'],
    ['ids', () => listFailed({ ids: ['1'] }), 'options.ids[0]: got "1", wants the id of a dead letter'],
    ['type', () => removeFailed({ type: 5 as never }), 'options.type: got 5, wants a string'],
    ['null', () => listFailed(null as never), 'options: got null, wants an object'],
    ['to', () => rollback({ to: -1 }), 'options.to: got -1, wants a whole number from 0'],
  ])('%s of another kind is named', async (_, call, problem) => {
    await expect(call()).rejects.toThrow(ConfigurationError)
    await expect(call()).rejects.toThrow(problem)
    expect(theCore().calls).toEqual([])
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
