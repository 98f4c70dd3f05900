import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { DeliveryContext } from '../handlers/context.js'
import { execute } from '../handlers/executor.js'
import {
  ConfigurationError,
  defineMessage,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  type MessageOf,
  MessageValidationError,
  type StandardSchema,
} from '../index.js'
import { delivery, freshProcess, theCore } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)

const EmailMessage = defineMessage(
  'EmailMessage',
  z.object({ to: z.email(), at: z.coerce.date(), tags: z.array(z.string()).default([]) }),
)
type EmailMessage = MessageOf<typeof EmailMessage>

const payload = { to: 'user@example.com', at: '2030-01-01T00:00:00.000Z' }

function sent(): unknown {
  return JSON.parse(theCore().dispatched.at(-1) ?? '')
}

describe('at dispatch', () => {
  test('the validated payload is stored, in all forms', async () => {
    const expected = { type: 'EmailMessage', payload: { ...payload, tags: [] } }
    await dispatch(EmailMessage, payload, { priority: 7 })
    expect(sent()).toEqual([{ ...expected, options: { priority: 7 } }])
    await dispatch(EmailMessage.create(payload, { metadata: { tenant: 1 } }), { priority: 8 })
    expect(sent()).toEqual([{ ...expected, metadata: { tenant: 1 }, options: { priority: 8 } }])
    await dispatchBatch([EmailMessage.create(payload, { delay: '5s', queue: 'mail' })], { priority: 3 })
    expect(sent()).toEqual([{ ...expected, options: { priority: 3, delay: 5_000, queue: 'mail' } }])
    await dispatchBatch([EmailMessage.create(payload)])
    expect(sent()).toEqual([expected])
  })

  test('what create() is given beside the payload is options, and nothing else', () => {
    const create = EmailMessage.create as (...given: unknown[]) => unknown
    expect(EmailMessage.create(payload, { delay: 5_000 })).toEqual({ type: 'EmailMessage', payload, delay: 5_000 })
    expect(() => create(payload, { dleay: 5_000 })).toThrow(/^options\.dleay: unknown option; .*did you mean "delay"\?/)
    expect(() => create(payload, { tenant: 1 })).toThrow('belong into metadata, as { metadata: { … } }')
    expect(() => create(payload, { type: 'Other' })).toThrow('options.type: unknown option')
    expect(() => create(payload, 0)).toThrow('options: got 0, wants an object')
  })

  test('dispatches of the same moment still share a call', async () => {
    await dispatch(EmailMessage, payload)
    await Promise.all([dispatch(EmailMessage, payload), dispatch(EmailMessage, payload)])
    expect(theCore().dispatched).toHaveLength(2)
  })

  test('a misfit is refused with all issues and their paths', async () => {
    const bad = { to: 'nobody', at: '2030-01-01', tags: ['a', 1] }
    const error = await dispatch(EmailMessage, bad as never).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MessageValidationError)
    expect(error).toMatchObject({ code: 'SYMPHONY_INVALID_PAYLOAD', path: 'payload.to' })
    expect((error as MessageValidationError).issues.map(({ path }) => path)).toEqual(['payload.to', 'payload.tags[1]'])
    await expect(EmailMessage.parse(bad)).rejects.toThrow(MessageValidationError)
    expect(await EmailMessage.parse(payload)).toEqual({ to: payload.to, at: new Date(payload.at), tags: [] })
  })

  test('a message made by create() is plain data', () => {
    const message = EmailMessage.create(payload)
    expect(message).toEqual({ type: 'EmailMessage', payload })
    expect(JSON.parse(JSON.stringify(message))).toEqual({ type: 'EmailMessage', payload })
  })

  test('a schema that refuses its own result is told so at the first dispatch', async () => {
    const Length = defineMessage('Length', z.object({ n: z.string().transform((text) => text.length) }))
    await expect(dispatch(Length, { n: 'abc' })).rejects.toThrow('refuses its own result')
  })

  test('asynchronous schemas work', async () => {
    const Free = defineMessage('Free', z.object({ slot: z.number().refine(async (n) => n !== 13, 'is taken') }))
    await dispatch(Free, { slot: 12 })
    await expect(dispatch(Free, { slot: 13 })).rejects.toThrow('payload.slot: is taken')
  })

  test('so does any Standard Schema, with paths in object form', async () => {
    const schema: StandardSchema<{ n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          const { n } = value as { n: unknown }
          if (typeof n === 'number') return { value: { n } }
          return { issues: [{ message: 'no number', path: [{ key: 'n' }, 'odd key'] }] }
        },
      },
    }
    await expect(dispatch(defineMessage('N', schema), { n: '1' as never })).rejects.toThrow(
      'payload.n["odd key"]: no number',
    )
  })
})

describe('at consume', () => {
  test('the handler gets what the schema gives, typed', async () => {
    const registry = new HandlerRegistry()
    let year = 0
    registry.register(EmailMessage, async (message, _envelope, context) => {
      const typed: EmailMessage = message
      year = typed.payload.at.getUTCFullYear() + context.message.payload.at.getUTCFullYear()
    })
    const context = new DeliveryContext(delivery('EmailMessage', { payload }), null)
    expect(await execute(registry, context, 0)).toEqual({})
    expect(year).toBe(4_060)
    expect(context.message.payload).toEqual(payload)
  })

  test('what no longer fits is not retried', async () => {
    const registry = new HandlerRegistry()
    registry.register(EmailMessage, { handle: async () => undefined })
    const context = new DeliveryContext(delivery('EmailMessage', { payload: { to: 'x' } }), null)
    const { settlement } = await execute(registry, context, 0)
    expect(settlement).toMatchObject({ as: 'failed', retryable: false, error: { class: 'MessageValidationError' } })
  })
})

test('a definition without a type or a schema is refused where it is written', () => {
  const define = defineMessage as (...given: unknown[]) => unknown
  expect(() => define('SendMail')).toThrow('defineMessage: SendMail has no schema: wants one that implements Standard')
  expect(() => define('SendMail', { parse: () => 1 })).toThrow(ConfigurationError)
  expect(() => define({ type: 'SendMail' })).toThrow('defineMessage: wants a message type first')
  expect(() => define('  ', {})).toThrow('wants a message type first')
})
