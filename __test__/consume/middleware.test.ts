import { consumeBatch, dispatch, HandlerRegistry, type Middleware, snooze } from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import {
  errorClassificationMiddleware,
  loggingMiddleware,
  type Measurement,
  performanceMiddleware,
  validationMiddleware,
} from '@leadmap/symphony/utils'
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0, maxRetries: 1 } } })
const message = { type: 'Any', payload: { to: 'user@example.com' } }

beforeEach(() => emptyTables(database))

test('middleware runs around the handlers, the first one outermost, with envelope and context', async () => {
  const steps: string[] = []
  const layer =
    (name: string): Middleware =>
    async (envelope, context, next) => {
      steps.push(`${name} ${envelope.message.type} ${context.attempt}`)
      await next()
      steps.push(`${name} done`)
    }
  const registry = new HandlerRegistry()
  registry.use(layer('outer'))
  registry.use(layer('inner'))
  registry.register('Any', () => void steps.push('handler'))
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  expect(steps).toEqual(['outer Any 1', 'inner Any 1', 'handler', 'inner done', 'outer done'])
})

test('an error passes through all middleware, and one that swallows it makes a success of it', async () => {
  const steps: string[] = []
  const registry = new HandlerRegistry()
  const remove = registry.use(async (_envelope, _context, next) => next().catch(() => void steps.push('swallowed')))
  registry.use(async (_envelope, _context, next) => {
    try {
      return await next()
    } catch (error) {
      steps.push(`seen: ${(error as Error).message}`)
      throw error
    }
  })
  registry.register('Any', () => Promise.reject(new Error('no')))
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  expect(steps).toEqual(['seen: no', 'swallowed'])

  remove()
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ retried: 1, deadLettered: 1 })
})

test('what middleware throws fails the message before its handlers run', async () => {
  let handled = 0
  const registry = new HandlerRegistry()
  registry.use(async () => {
    throw Object.assign(new Error('not allowed'), { status: 403 })
  })
  registry.register('Any', () => void handled++)
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1, retried: 0 })
  expect(handled).toBe(0)
})

test('middleware may put a message off without calling next()', async () => {
  const registry = new HandlerRegistry()
  registry.use(async () => snooze('1h'))
  registry.register('Any', () => expect.unreachable())
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ snoozed: 1, drained: true })
})

test('next() called twice is refused, and the handlers ran once', async () => {
  let handled = 0
  const registry = new HandlerRegistry()
  registry.use(async (_envelope, _context, next) => {
    await next()
    return next()
  })
  registry.register('Any', () => void handled++)
  await dispatch(message)
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
  expect(handled).toBe(1)
  expect((await listFailed()).messages).toMatchObject([{ error: 'a middleware called next() twice' }])
})

test('the supplied middleware works together: logging, performance, validation, classification', async () => {
  const lines: Array<{ level: string; text: string; fields: unknown }> = []
  const write = (level: string) => (text: string, fields?: unknown) => void lines.push({ level, text, fields })
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const measured: Measurement[] = []
  const registry = new HandlerRegistry()
  registry.use(loggingMiddleware({ logger }))
  registry.use(performanceMiddleware({ onMeasure: (measurement) => measured.push(measurement) }))
  registry.use(errorClassificationMiddleware((error) => ((error as Error).message === 'hopeless' ? false : undefined)))
  registry.use(validationMiddleware({ 'Any*': z.object({ to: z.email() }) }))
  registry.register('Any*', (got) => {
    if (got.type === 'AnyHopeless') throw new Error('hopeless')
    if (got.type === 'AnyFlaky') throw new Error('flaky')
  })
  const { messageId } = await dispatch(message)
  await dispatch({ type: 'Any', payload: { to: 'nobody' } })
  await dispatch({ ...message, type: 'AnyHopeless' })
  await dispatch({ ...message, type: 'AnyFlaky' })
  expect(await consumeBatch({ registry, maxConcurrency: 1 })).toMatchObject({
    succeeded: 1,
    deadLettered: 3,
    retried: 1,
  })

  expect(lines.filter(({ text }) => text === 'handled')).toMatchObject([
    {
      level: 'debug',
      fields: { messageId, type: 'Any', transport: 'supabase', attempt: 1, duration: expect.any(Number) },
    },
  ])
  expect(lines.filter(({ text }) => text === 'failed')).toHaveLength(4)
  expect(JSON.stringify(lines)).not.toContain('user@example.com')
  expect(measured.map(({ type, attempt, success }) => `${type} ${attempt} ${success}`)).toEqual([
    'Any 1 true',
    'Any 1 false',
    'AnyHopeless 1 false',
    'AnyFlaky 1 false',
    'AnyFlaky 2 false',
  ])
  const failed = (await listFailed()).messages.map(
    ({ type, errorClass, retryCount }) => `${type} ${errorClass} ${retryCount}`,
  )
  expect(failed.sort()).toEqual([
    'Any MessageValidationError 0',
    'AnyFlaky HandlerError 1',
    'AnyHopeless HandlerError 0',
  ])
})
