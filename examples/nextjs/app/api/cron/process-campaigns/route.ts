import { withSymphonyFallback } from '@leadmap/symphony/utils'
import { dispatchRunningCampaigns, processCampaigns } from '@/lib/campaigns'
import { cronRoute } from '@/lib/cron'

export const maxDuration = 60

export function GET(request: Request): Promise<Response> {
  return cronRoute(request, () =>
    withSymphonyFallback<object>('campaignProcessing', dispatchRunningCampaigns, processCampaigns),
  )
}
