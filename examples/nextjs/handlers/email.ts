import { registerHandler } from '@leadmap/symphony'
import type { EmailMessage } from '@leadmap/symphony/utils'
import { isDelivered, recordEmail } from '../lib/deliveries'
import { isSent, noteFailure } from '../lib/email-queue'
import { isRefusedForGood, sendMail } from '../lib/mail'

registerHandler<EmailMessage>(
  'EmailMessage',
  {
    timeout: '30s',

    async handle(message, context) {
      const { emailId, toEmail, subject, html, fromName, fromEmail } = message.payload
      if ((await isDelivered(context.id)) || (await isSent(emailId))) return
      try {
        await sendMail({ id: context.id, to: toEmail, subject, html, fromName, fromEmail })
      } catch (error) {
        await noteFailure(emailId, error)
        throw error
      }
      await recordEmail(context.id, toEmail, emailId)
    },

    // An address that does not exist will not exist in a minute either: straight to the dead letters.
    classifyError: (error) => (isRefusedForGood(error) ? false : undefined),
  },
  { name: 'send' },
)
