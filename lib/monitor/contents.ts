/** What the queue holds now. Counting stops at a cap, so it costs the same however long the queues are. */
import type { Core } from '../core/core.js'

/** The contents of one queue. */
export interface QueueDepth {
  /** The transport. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** Due now. */
  pending: number
  /** Waiting for their time. */
  delayed: number
  /** Claimed and not settled. */
  processing: number
  /** Milliseconds that the oldest due message has waited; `null`: none is due. */
  oldestAge: number | null
  /** Whether counting stopped at its cap, so that there is more than the figures say. */
  capped: boolean
}

/** What the queue holds now. Counting stops at 10,000 of a kind. */
export interface QueueContents {
  /** Due now. */
  pending: number
  /** Waiting for their time. */
  delayed: number
  /** Claimed and not settled. */
  processing: number
  /** All of these together. */
  depth: number
  /** Milliseconds that the oldest due message has waited; `null`: none is due. */
  oldestAge: number | null
  /** Handled, and still kept. */
  completed: number
  /** Finished without having been handled, and still kept. */
  discarded: number
  /** Cancelled, and still kept. */
  cancelled: number
  /** Dead letters. */
  failed: number
  /** Schedules that will run again. */
  schedules: number
  /** Whether a count stopped at its cap, so that there is more than the figures say. */
  capped: boolean
  /** Each queue separately. */
  queues: QueueDepth[]
}

/** How much is in each queue, of one transport or of all. */
export function depths(core: Core, transport?: string): Promise<QueueDepth[]> {
  const options = transport === undefined ? {} : { transports: [transport] }
  return core.ask((it) => it.depth(JSON.stringify(options)))
}

/** What one transport holds, or all of them. */
export async function contents(core: Core, transport?: string): Promise<QueueContents> {
  const [queues, kept] = await Promise.all([
    depths(core, transport),
    core.ask<Kept>((it) => it.totals(JSON.stringify({ transport }))),
  ])
  const [pending, delayed, processing] = [sum(queues, 'pending'), sum(queues, 'delayed'), sum(queues, 'processing')]
  const ages = queues.map((queue) => queue.oldestAge).filter((age) => age !== null)
  return {
    pending,
    delayed,
    processing,
    depth: pending + delayed + processing,
    oldestAge: ages.length === 0 ? null : Math.max(...ages),
    ...kept,
    capped: kept.capped || queues.some((queue) => queue.capped),
    queues,
  }
}

type Kept = Pick<QueueContents, 'completed' | 'discarded' | 'cancelled' | 'failed' | 'schedules' | 'capped'>

function sum(queues: QueueDepth[], key: 'pending' | 'delayed' | 'processing'): number {
  return queues.reduce((total, queue) => total + queue[key], 0)
}
