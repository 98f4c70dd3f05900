// The quick start as TypeScript, checked against the installed typings; needs no cast.
import { consumeBatch, dispatch, type Message, registerHandler } from '@leadmap/symphony'
import { defineConfig } from '@leadmap/symphony/config'

interface EmailMessage extends Message {
  type: 'EmailMessage'
  payload: { to: string }
}

export default defineConfig({ defaultPriority: 7 })

export async function run(): Promise<number> {
  registerHandler<EmailMessage>('EmailMessage', async (message, context) => {
    const to: string = message.payload.to
    context.logger.info(to)
  })
  const result = await dispatch({ type: 'EmailMessage', payload: { to: 'user@example.com' } }, { priority: 9 })
  const id: string = result.messageId
  // @ts-expect-error the priority is a number
  await dispatch({ type: 'EmailMessage', payload: {} }, { priority: 'high' })
  const drained = await consumeBatch({ timeLimit: '10s' })
  return drained.succeeded + id.length
}
