// The quick start as TypeScript, and a name of each entry, checked against the installed typings; needs no cast.
import { consumeBatch, createSymphony, dispatch, type Message, registerHandler, Worker } from '@leadmap/symphony'
import { getHealth } from '@leadmap/symphony/admin'
import { defineConfig } from '@leadmap/symphony/config'
import { createSymphonyRoute, type SymphonyRoute } from '@leadmap/symphony/http'
import { withSymphony } from '@leadmap/symphony/next'
import { createTestKit } from '@leadmap/symphony/testing'
import { nextRuns } from '@leadmap/symphony/utils'

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

/** Its events are those of Node.js. */
export function watch(): void {
  new Worker().on('deadLettered', ({ type }) => type.toUpperCase())
}

export async function reports(): Promise<SymphonyRoute> {
  const symphony = createSymphony({ schema: 'reports' })
  symphony.registerHandler<EmailMessage>('EmailMessage', (message) => message.payload.to)
  const { findings } = await symphony.getHealth()
  const first: Date | undefined = nextRuns('0 9 * * *')[0]
  createTestKit(symphony).assertDispatched('EmailMessage', findings.length)
  symphony.getLogger().info((await getHealth()).status, { first, config: withSymphony({}) })
  return createSymphonyRoute({ symphony })
}
