/** How much there is: `GET status`, `GET queue-depth`. */
import { getStats } from '../../admin.js'
import { SymphonyError } from '../../errors.js'
import { queueDepth } from '../../queue.js'
import { Answer } from '../answer.js'
import type { Call, Endpoint } from '../endpoint.js'
import { readQuery, text } from '../fields.js'
import { badRequest } from '../problem.js'

export const queues: Endpoint[] = [
  { method: 'GET', path: 'status', run: status },
  { method: 'GET', path: 'queue-depth', run: depths },
]

async function status({ url }: Call): Promise<Answer> {
  const { transport } = readQuery(url, { transport: text() })
  const stats = await named(getStats(transport === undefined ? {} : { transport }))
  const { depth, pending, processing, completed, failed, delayed, oldestAge, schedules, capped } = stats
  return new Answer({
    success: true,
    transport: transport ?? 'all',
    queue: { depth, pending, processing, completed, failed, delayed, oldestAge, capped },
    failedMessages: failed,
    scheduledMessages: schedules,
    timestamp: new Date(),
  })
}

async function depths({ url }: Call): Promise<Answer> {
  readQuery(url, {})
  const all = await queueDepth()
  const depth = all.reduce((sum, queue) => sum + queue.pending + queue.delayed + queue.processing, 0)
  return new Answer({ success: true, depth, queues: all, timestamp: new Date() })
}

async function named<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof SymphonyError && NAMES.includes(error.code)) throw badRequest(error.message, 'transport')
    throw error
  }
}

const NAMES = ['SYMPHONY_UNKNOWN_TRANSPORT', 'SYMPHONY_TRANSPORT_DISABLED', 'SYMPHONY_TRANSPORT_UNSUPPORTED']
