/** How much waits: `GET queue-depth`. */
import { queueDepth } from '../../queue.js'
import { Answer } from '../answer.js'
import type { Call, Endpoint } from '../endpoint.js'
import { readQuery } from '../fields.js'

export const queues: Endpoint[] = [{ method: 'GET', path: 'queue-depth', run: depths }]

async function depths({ url }: Call): Promise<Answer> {
  readQuery(url, {})
  const all = await queueDepth()
  const depth = all.reduce((sum, queue) => sum + queue.pending + queue.delayed + queue.processing, 0)
  return new Answer({ success: true, depth, queues: all, timestamp: new Date() })
}
