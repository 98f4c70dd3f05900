import { withSymphonyFallback } from '@leadmap/symphony/utils'
import { cronRoute } from '@/lib/cron'
import { dispatchDueEmails, sendDueEmails } from '@/lib/email-queue'

export const maxDuration = 60

/** With the flag on, due e-mails become messages; with it off, or where dispatching fails, they are sent as before. */
export function GET(request: Request): Promise<Response> {
  return cronRoute(request, () => withSymphonyFallback<object>('emailQueue', dispatchDueEmails, sendDueEmails))
}
