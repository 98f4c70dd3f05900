/** The size of the queue: `GET status`, `GET queue-depth`. */
import { contents, depths } from '../../monitor/contents.js'
import { partsOf } from '../../symphony.js'
import { readQuery, text } from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { namingTransport } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

export const WHICH = { transport: text() }

export const queues: Endpoint[] = [
  { method: 'GET', path: 'status', run: status },
  { method: 'GET', path: 'queue-depth', run: queueDepth },
]

async function status({ url, symphony }: Call): Promise<Answer> {
  const { transport } = readQuery(url, WHICH)
  const held = await namingTransport(contents(partsOf(symphony).core, transport))
  const { depth, pending, processing, completed, failed, delayed, oldestAge, schedules, capped } = held
  return new Answer({
    success: true,
    transport: transport ?? 'all',
    queue: { depth, pending, processing, completed, failed, delayed, oldestAge, capped },
    failedMessages: failed,
    scheduledMessages: schedules,
    timestamp: new Date(),
  })
}

async function queueDepth({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  const all = await depths(partsOf(symphony).core)
  const depth = all.reduce((sum, queue) => sum + queue.pending + queue.delayed + queue.processing, 0)
  return new Answer({ success: true, depth, queues: all, timestamp: new Date() })
}
