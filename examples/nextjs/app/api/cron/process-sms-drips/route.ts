import { withSymphonyFallback } from '@leadmap/symphony/utils'
import { cronRoute } from '@/lib/cron'
import { dispatchDueTexts, sendDueTexts } from '@/lib/sms-drips'

export const maxDuration = 60

export function GET(request: Request): Promise<Response> {
  return cronRoute(request, () => withSymphonyFallback<object>('smsDrip', dispatchDueTexts, sendDueTexts))
}
