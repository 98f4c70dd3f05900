import { cronRoute } from '@/lib/cron'
import { withSymphonyFallback } from '@/lib/fallback'
import { dispatchDueTexts, sendDueTexts } from '@/lib/sms-drips'

export const maxDuration = 60

export function GET(request: Request): Promise<Response> {
  return cronRoute(request, () => withSymphonyFallback<object>('smsDrip', dispatchDueTexts, sendDueTexts))
}
