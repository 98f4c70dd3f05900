import { createWorkerRoute } from '@leadmap/symphony/next'
import '@/lib/symphony'

/** Seconds. The route stops early enough to write its outcomes before the platform ends the function. */
export const maxDuration = 60

export const { GET, POST } = createWorkerRoute({ maxDuration, maxConcurrency: 20 })
