import { registerHandler } from '@leadmap/symphony'
import type { SMSMessage } from '@leadmap/symphony/utils'
import { isDelivered, recordSMS } from '../lib/deliveries'
import { sendSMS } from '../lib/sms'

registerHandler<SMSMessage>(
  'SMSMessage',
  async (message, context) => {
    if (await isDelivered(context.id)) return
    const { to, message: text } = message.payload
    await sendSMS({ key: context.idempotencyKey ?? context.id, to, text, signal: context.signal })
    await recordSMS(context.id, to)
  },
  { name: 'send' },
)
