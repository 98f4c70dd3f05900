import {
  consumeBatch,
  defineMessage,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  MessageValidationError,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { countAll, createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()

const EmailMessage = defineMessage(
  'EmailMessage',
  z.object({ to: z.email(), subject: z.string().trim().default('(none)'), sentAt: z.coerce.date().optional() }),
)

beforeEach(() => emptyTables(database))

test('the result of the schema is stored, and handed to the handler', async () => {
  await dispatch(EmailMessage, { to: 'user@example.com', subject: '  Hello ', sentAt: new Date(0) }, { priority: 9 })
  await dispatch(EmailMessage.create({ to: 'user@example.com' }, { metadata: { tenant: 't' } }))
  await dispatchBatch([EmailMessage.create({ to: 'third@example.com' })])
  expect((await storedMessages(database)).map((row) => row.body)).toEqual([
    { to: 'user@example.com', subject: 'Hello', sentAt: '1970-01-01T00:00:00.000Z' },
    { to: 'user@example.com', subject: '(none)' },
    { to: 'third@example.com', subject: '(none)' },
  ])

  const handled: unknown[] = []
  const registry = new HandlerRegistry()
  registry.register(EmailMessage, (message) => {
    const { to, sentAt }: { to: string; sentAt?: Date } = message.payload
    handled.push([to, sentAt, message.metadata])
  })
  await consumeBatch({ registry, maxConcurrency: 1 })
  expect(handled).toEqual([
    ['user@example.com', new Date(0), {}],
    ['user@example.com', undefined, { tenant: 't' }],
    ['third@example.com', undefined, {}],
  ])
})

test('what the schema refuses is refused at dispatch, with every issue and its path', async () => {
  const refusal = await dispatch(EmailMessage, { to: 'nobody', subject: 7 as unknown as string }).catch(
    (error) => error,
  )
  expect(refusal).toBeInstanceOf(MessageValidationError)
  expect(refusal).toMatchObject({ code: 'SYMPHONY_INVALID_PAYLOAD', path: 'payload.to' })
  expect(refusal.issues.map(({ path }: { path: string }) => path)).toEqual(['payload.to', 'payload.subject'])
  const batch = await dispatchBatch([
    EmailMessage.create({ to: 'nobody' }),
    EmailMessage.create({ to: 'a@example.com' }),
  ])
  expect(batch.map(({ success }) => success)).toEqual([false, true])
  expect(await countAll(database)).toBe(1)
})

test('what was stored past the schema is refused at consume, and not retried', async () => {
  await dispatch({ type: 'EmailMessage', payload: { to: 'nobody' } })
  const registry = new HandlerRegistry()
  registry.register(EmailMessage, () => expect.unreachable())
  expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1, retried: 0 })
  expect((await listFailed()).messages).toMatchObject([
    { errorClass: 'MessageValidationError', error: expect.stringContaining('payload.to'), retryCount: 0 },
  ])
})

test('a schema that refuses its own result says so at the first dispatch', async () => {
  const Counted = defineMessage('Counted', z.object({ n: z.string().transform(Number) }))
  await expect(dispatch(Counted, { n: '1' })).rejects.toThrow(/the schema of Counted refuses its own result/)
  expect(await countAll(database)).toBe(0)
})

test('asynchronous schemas work at both ends', async () => {
  const known = z.object({ id: z.string().refine(async (id) => id !== 'gone', 'is gone') })
  const Lookup = defineMessage('Lookup', known)
  await expect(dispatch(Lookup, { id: 'gone' })).rejects.toThrow(/payload\.id: is gone/)
  await dispatch(Lookup, { id: 'here' })
  const registry = new HandlerRegistry()
  const seen: string[] = []
  registry.register(Lookup, (message) => void seen.push(message.payload.id))
  await consumeBatch({ registry })
  expect(seen).toEqual(['here'])
})
