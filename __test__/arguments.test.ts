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
  setLogger,
} from '@leadmap/symphony'
import { createSymphonyRoute, createWorkerRoute } from '@leadmap/symphony/http'
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

const wrong = (call: unknown, ...given: unknown[]) =>
  expect((async () => (call as (...given: unknown[]) => unknown)(...given))()).rejects

test('a message that is something else is named, with what takes it', async () => {
  await wrong(dispatch, [message]).toThrow('message: got an array, which dispatchBatch() takes, wants an object')
  await wrong(dispatch, Promise.resolve(message)).toThrow('message: got a promise, so an await is missing, wants')
  await wrong(dispatch, Mail.create).toThrow('message: got a function, wants an object { type, payload }')
  await wrong(dispatch, 'A', {}).toThrow('message: got "A", wants an object { type, payload }')
  await wrong(schedule, Mail, { every: '1d' }).toThrow('the definition of Mail, of which create(payload) makes')
  const [result] = await (dispatchBatch as (...given: unknown[]) => Promise<Array<{ error?: Error }>>)([Mail])
  expect(result?.error?.message).toContain('the definition of Mail, of which create(payload) makes a message')
})

test('text is shown in quotes, so that it differs from a number', async () => {
  await wrong(consumeBatch, { timeLimit: '10' }).toThrow('options.timeLimit: got "10", wants milliseconds or')
})

test('a class is refused as a handler, an instance is not', async () => {
  class Greeter {
    handle() {}
  }
  await wrong(registerHandler, 'A', Greeter).toThrow('the handler of A is the class Greeter: give an instance of it')
  await wrong(registerHandler, 'A', class {}).toThrow('is the class without a name')
  registerHandler('Greet', new Greeter())
  // A method may be called so.
  const methods = { class() {} }
  expect(() => registerHandler('A', methods.class)).not.toThrow()
})

test('a list of schedules names the entry that is wrong', async () => {
  const right = { name: 'right', message, when: { every: '1d' } }
  await wrong(defineSchedules, right).toThrow('schedules: got Object, wants an array')
  await wrong(defineSchedules, [right, { name: 'b', message }]).toMatchObject({
    name: 'SchedulerError',
    message: 'schedules[1].when: wants an object',
    details: { path: 'schedules[1].when' },
  })
  await wrong(defineSchedules, [{ ...right, message: { type: 'A', payload: { n: Number.NaN } } }]).toMatchObject({
    name: 'MessageValidationError',
    message: expect.stringMatching(/^schedules\[0\]\.payload\.n: is NaN/),
  })
  await wrong(defineSchedules, [{ ...right, message: Mail.create({ to: 1 } as never) }]).toMatchObject({
    message: expect.stringMatching(/^schedules\[0\]: the payload of Mail/),
    issues: [{ path: 'payload.to' }],
  })
})

test('a logger without its methods is refused', async () => {
  await wrong(setLogger, {}).toThrow(
    'setLogger: the logger lacks debug, info, warn, error: wants an object with debug()',
  )
  await wrong(setLogger, { debug() {}, info() {}, error() {} }).toThrow('the logger lacks warn')
  await wrong(setLogger, null).toThrow('setLogger: the logger lacks')
})

test('what should be a function of the request is refused where a route is made, without being shown', async () => {
  for (const make of [createSymphonyRoute, createWorkerRoute]) {
    await wrong(make, { authorize: 'hush' }).toThrow('options.authorize: got a text, wants a function of the request')
    await wrong(make, { authorize: true }).toThrow('options.authorize: got true, wants a function')
  }
})

test('a misspelt endpoint is answered with the one that was meant', async () => {
  const route = createSymphonyRoute({ authorize: () => true })
  const answer = await route.handle(new Request('http://localhost/api/symphony/queue-dept'))
  expect(answer.status).toBe(404)
  expect(await answer.text()).toMatch(/endpoint \/queue-dept does not exist; .*; did you mean queue-depth\?"/)
})
