import {
  consumeBatch,
  createSymphony,
  defineMessage,
  defineSchedules,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  registerHandler,
  registerTransport,
  runDueSchedules,
  schedule,
} from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { countAll, createQueue } from './support/symphony.js'

const database = await createQueue()
const message = { type: 'A', payload: {} }
const Mail = defineMessage('Mail', z.object({ to: z.string() }))
const handler = { type: 'A', handle: () => undefined }
const options = { delay: '5m' }
const own = createSymphony({ databaseUrl: database.url })

/** Each with the way in which the function is called. */
const CALLS: Array<[call: unknown, given: unknown[], wants: string]> = [
  [dispatch, [message, {}, options], 'dispatch(message, options)'],
  [own.dispatch, [message, undefined, options], 'dispatch(message, options)'],
  [dispatch, [Mail, { to: 'a' }, {}, options], 'dispatch(definition, payload, options)'],
  [dispatchBatch, [[message], {}, options], 'dispatchBatch(messages, options)'],
  [dispatchToTransports, [message, ['supabase'], {}, options], 'dispatchToTransports(message, transports, options)'],
  [registerTransport, ['x', { type: 'postgres' }, options], 'registerTransport(name, config)'],
  [schedule, [message, { every: '1d' }, {}, options], 'schedule(message, when, options)'],
  [defineSchedules, [[], {}, { group: 'x' }], 'defineSchedules(definitions, options)'],
  [runDueSchedules, [{}, { limit: 1 }], 'runDueSchedules(options)'],
  [consumeBatch, [{}, { timeLimit: '5s' }], 'consumeBatch(options)'],
  [registerHandler, ['A', () => undefined, {}, { timeout: '5s' }], 'registerHandler(type, handler, options)'],
  [registerHandler, [handler, {}, { timeout: '5s' }], 'registerHandler(handler, options)'],
]

test.each(CALLS)('an argument that %o does not have is refused', async (call, given, wants) => {
  const called = (async () => (call as (...given: unknown[]) => unknown)(...given))()
  await expect(called).rejects.toMatchObject({
    code: 'SYMPHONY_UNKNOWN_OPTION',
    message: expect.stringMatching(/^\w+: got one argument too many \(Object\), wants /),
  })
  await expect(called).rejects.toThrow(wants)
  expect(await countAll(database)).toBe(0)
})

test('one that is undefined is none', async () => {
  const call = dispatch as (...given: unknown[]) => Promise<unknown>
  expect(await call(message, {}, undefined)).toMatchObject({ status: 'queued' })
})
