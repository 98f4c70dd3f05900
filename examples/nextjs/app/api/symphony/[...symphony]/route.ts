import { createSymphonyRoute } from '@leadmap/symphony/next'
import { isOperator } from '@/lib/operator'
import '@/lib/symphony'

export const maxDuration = 60

/** Everything under `/api/symphony/`, for operators. */
export const { GET, POST, DELETE } = createSymphonyRoute({ authorize: isOperator, maxDuration })
