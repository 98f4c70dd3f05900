// Checked by tsc; nothing here runs.
import {
  type Discard,
  defineMessage,
  discard,
  type HandlerContext,
  type HandlerEntry,
  type HandlerFunction,
  HandlerRegistry,
  type Message,
  type MessageEnvelope,
  type MessageHandler,
  type MessageOf,
  registerHandler,
  type Snooze,
  snooze,
  type Unregister,
  Worker,
  type WorkerOptions,
} from '@leadmap/symphony'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'

interface EmailMessage extends Message {
  type: 'EmailMessage'
  payload: { to: string; subject?: string }
}

test('both signatures fit, with the message typed', () => {
  registerHandler<EmailMessage>('EmailMessage', (message, context) => {
    expectTypeOf(message).toEqualTypeOf<EmailMessage>()
    expectTypeOf(message.payload.to).toBeString()
    expectTypeOf(context).toEqualTypeOf<HandlerContext<EmailMessage>>()
    expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
  })
  registerHandler<EmailMessage>('EmailMessage', async (message, envelope, context) => {
    expectTypeOf(envelope).toExtend<MessageEnvelope<EmailMessage>>()
    expectTypeOf(context.retryCount).toBeNumber()
    expectTypeOf(context.message).toEqualTypeOf(message)
  })
  // As the seeds write it: the two-argument form with an envelope or a context by name.
  const byContext = async (message: EmailMessage, context: HandlerContext): Promise<void> => {
    context.logger.info(message.payload.to)
  }
  const byEnvelope = async (message: EmailMessage, envelope: MessageEnvelope): Promise<void> => {
    void [message, envelope.id]
  }
  expectTypeOf(byContext).toExtend<HandlerFunction<EmailMessage>>()
  expectTypeOf(byEnvelope).toExtend<HandlerFunction<EmailMessage>>()
  registerHandler<EmailMessage>('EmailMessage', byContext)
  registerHandler<EmailMessage>('EmailMessage', byEnvelope)
})

test('a handler by name alone reads its payload without a cast', () => {
  registerHandler('Anything', (message) => {
    const to: string = message.payload.to
    const nested: number = message.payload.list[0].n
    void [to, nested]
  })
})

test('the type parameter binds the type name', () => {
  // @ts-expect-error: the message type is another.
  registerHandler<EmailMessage>('SMSMessage', () => undefined)
})

test('classes and objects fit', () => {
  class EmailHandler implements MessageHandler<EmailMessage> {
    readonly type = 'EmailMessage'
    async handle(message: EmailMessage, _envelope: unknown, context: HandlerContext): Promise<void> {
      context.logger.debug(message.payload.to)
    }
    classifyError(error: unknown, context: HandlerContext): boolean | undefined {
      return context.attempt > 2 ? false : error instanceof TypeError || undefined
    }
  }
  const registry = new HandlerRegistry()
  expectTypeOf(registry.register(new EmailHandler())).toEqualTypeOf<Unregister>()
  registry.register('EmailMessage', new EmailHandler())
  const handler: MessageHandler<EmailMessage> = { type: 'EmailMessage', handle: (message) => message.payload.to }
  registry.register(handler)
  registry.register({ type: 'EmailMessage', handle: (message) => message.payload.to })
  // @ts-expect-error: no method handle.
  registry.register({ type: 'EmailMessage' })
})

test('snooze and discard may be returned', () => {
  expectTypeOf(snooze('5m')).toEqualTypeOf<Snooze>()
  expectTypeOf(discard('reason')).toEqualTypeOf<Discard>()
  registerHandler('Any', () => (Date.now() > 0 ? snooze(1000) : discard()))
})

test('a defined message types its handler with what the schema gives', () => {
  const Report = defineMessage('Report', z.object({ at: z.coerce.date(), pages: z.number().default(1) }))
  registerHandler(Report, (message, context) => {
    expectTypeOf(message.type).toEqualTypeOf<'Report'>()
    expectTypeOf(message.payload).toEqualTypeOf<{ at: Date; pages: number }>()
    expectTypeOf(context.message.payload.pages).toBeNumber()
  })
  expectTypeOf<MessageOf<typeof Report>['payload']>().toEqualTypeOf<{ at: Date; pages: number }>()
})

test('a worker ends its process after a duration, or never', () => {
  expectTypeOf<WorkerOptions['exitGrace']>().toEqualTypeOf<number | string | false | undefined>()
  new Worker({ exitGrace: '10s' })
  new Worker({ exitGrace: false })
  // @ts-expect-error: true says no time.
  new Worker({ exitGrace: true })
})

test('an entry says what is stored of it', () => {
  expectTypeOf(new HandlerRegistry().get('Any')).toEqualTypeOf<readonly HandlerEntry[]>()
  expectTypeOf<HandlerEntry['identity']>().toBeString()
})
