import { createSchedulerRoute } from '@leadmap/symphony/next'
import '@/lib/symphony'

export const maxDuration = 60

export const { GET, POST } = createSchedulerRoute({ maxDuration })
