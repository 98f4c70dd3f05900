import { dispatchRunningCampaigns, processCampaigns } from '@/lib/campaigns'
import { cronRoute } from '@/lib/cron'
import { withSymphonyFallback } from '@/lib/fallback'

export const maxDuration = 60

export function GET(request: Request): Promise<Response> {
  return cronRoute(request, () =>
    withSymphonyFallback<object>('campaignProcessing', dispatchRunningCampaigns, processCampaigns),
  )
}
