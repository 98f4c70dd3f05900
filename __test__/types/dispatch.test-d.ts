// Checked by tsc; nothing here runs.
import {
  type BatchResult,
  type ConsumeResult,
  consumeBatch,
  type DispatchResult,
  defineMessage,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getDispatcher,
  type Message,
  SymphonyDispatcher,
  SymphonyError,
  setConfig,
  Worker,
} from '@leadmap/symphony'
import { type FailedRun, getFailed, listFailed } from '@leadmap/symphony/admin'
import { defineConfig } from '@leadmap/symphony/config'
import { dispatchEmailMessage } from '@leadmap/symphony/utils'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'

test('dispatch takes what looks like a message', async () => {
  interface Payload {
    to: string
  }
  const payload: Payload = { to: 'user@example.com' }
  expectTypeOf(dispatch({ type: 'EmailMessage', payload })).resolves.toEqualTypeOf<DispatchResult>()
  const message: Message = { type: 'A', payload: { at: new Date() } }
  await dispatch(message, { scheduledAt: new Date(), delay: '5m', transport: ['a', 'b'], metadata: { a: 1 } })
  // @ts-expect-error: a type is missing.
  await dispatch({ payload: {} })
  // @ts-expect-error: a payload is an object.
  await dispatch({ type: 'A', payload: 'text' })
  // @ts-expect-error: no such option.
  await dispatch(message, { priorty: 7 })
  // @ts-expect-error: headers are text.
  await dispatch(message, { headers: { a: 1 } })
})

test('a result is read without a cast', async () => {
  const result = await dispatch({ type: 'A', payload: {} })
  expectTypeOf(result.status).toEqualTypeOf<'queued' | 'duplicate' | 'handled'>()
  expectTypeOf(result.availableAt).toEqualTypeOf<Date>()
  expectTypeOf(result.scheduledAt).toEqualTypeOf<Date | undefined>()
  for (const entry of result.messages) {
    if ('error' in entry) expectTypeOf(entry.error).toEqualTypeOf<Error>()
    else expectTypeOf(entry.messageId).toBeString()
  }
})

test('the entries of a batch tell success from failure', async () => {
  const results = await dispatchBatch([
    { type: 'A', payload: {} },
    { message: { type: 'B', payload: {} }, options: { priority: 1 } },
  ])
  expectTypeOf(results).toEqualTypeOf<BatchResult[]>()
  for (const result of results) {
    if (result.success) expectTypeOf(result.messageId).toBeString()
    else expectTypeOf(result.error).toExtend<Error>()
  }
  // @ts-expect-error: one key for a batch would drop all messages but one.
  await dispatchBatch([], { idempotencyKey: 'key' })
  const [first] = await dispatchToTransports({ type: 'A', payload: {} }, ['a'])
  if (first?.success) expectTypeOf(first.queue).toBeString()
})

test('a defined message types dispatch() with what its schema takes', async () => {
  const Report = defineMessage('Report', z.object({ at: z.coerce.date<Date | string>(), pages: z.number().default(1) }))
  await dispatch(Report, { at: '2030-01-01' }, { priority: 7 })
  await dispatch(Report.create({ at: new Date(), pages: 2 }))
  await dispatchBatch([Report.create({ at: new Date() }, { delay: '5m', metadata: { tenant: 1 } })])
  // @ts-expect-error: pages is a number.
  await dispatch(Report, { at: new Date(), pages: '2' })
  // @ts-expect-error: at is missing.
  Report.create({})
})

test('the dispatcher narrows by instanceof', () => {
  const dispatcher = getDispatcher()
  if (dispatcher instanceof SymphonyDispatcher) expectTypeOf(dispatcher.dispatchToTransports).toBeFunction()
})

test('the ready-made messages are typed', async () => {
  const { messageId } = await dispatchEmailMessage({
    emailId: 'e',
    userId: 'u',
    mailboxId: 'm',
    toEmail: 'user@example.com',
    subject: 's',
    html: 'h',
    priority: 7,
  })
  expectTypeOf(messageId).toBeString()
  // @ts-expect-error: html is missing.
  await dispatchEmailMessage({ emailId: 'e', userId: 'u', mailboxId: 'm', toEmail: 'x', subject: 's' })
})

test('consumers and workers', async () => {
  expectTypeOf(consumeBatch({ timeLimit: '50s', transports: ['a'] })).resolves.toEqualTypeOf<ConsumeResult>()
  // @ts-expect-error: no such option.
  await consumeBatch({ limit: 5 })
  const worker = new Worker({ maxConcurrency: 5 })
  worker.on('deadLettered', ({ type, error }) => {
    expectTypeOf(type).toBeString()
    expectTypeOf(error).toEqualTypeOf<{ class: string; message: string; stack?: string } | undefined>()
  })
  worker.on('stopped', (result) => expectTypeOf(result).toEqualTypeOf<ConsumeResult>())
  // @ts-expect-error: no such event.
  worker.on('exploded', () => undefined)
})

test('dead letters', async () => {
  const { messages, nextCursor } = await listFailed({ type: 'A', failedAfter: new Date(), full: true })
  expectTypeOf(nextCursor).toEqualTypeOf<string | null>()
  for (const { errorHistory } of messages) {
    expectTypeOf(errorHistory).toEqualTypeOf<FailedRun[]>()
  }
  expectTypeOf(await getFailed('id')).toExtend<object | null>()
})

test('a configuration is checked key by key, and needs no `as const`', () => {
  const config = {
    transports: { default: 'email', email: { type: 'supabase', priority: 7 } },
    routing: { A: ['email'] },
  }
  setConfig(config)
  defineConfig({ environments: { production: { worker: { batchSize: 100 } } } })
  // @ts-expect-error: no such key.
  setConfig({ defaultPriorty: 7 })
  // @ts-expect-error: a number.
  setConfig({ worker: { batchSize: 'many' } })
})

test('errors carry a code', () => {
  const error: unknown = new SymphonyError('SYMPHONY_X', 'x')
  if (error instanceof SymphonyError) expectTypeOf(error.code).toBeString()
})
