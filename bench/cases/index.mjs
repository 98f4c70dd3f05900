/** All cases, in the order in which they run. */
import backlog from './backlog.mjs'
import coldStart from './cold-start.mjs'
import drain from './drain.mjs'
import drainRtt from './drain-rtt.mjs'
import enqueueBatch from './enqueue-batch.mjs'
import enqueueSingle from './enqueue-single.mjs'
import heldXmin from './held-xmin.mjs'
import latency from './latency.mjs'
import memory from './memory.mjs'
import mixed from './mixed.mjs'
import options from './options.mjs'

/** @type {Array<{ name: string, run: (context: import('../harness/context.mjs').Context) => Promise<void> }>} */
export const cases = [
  enqueueBatch,
  enqueueSingle,
  drain,
  drainRtt,
  latency,
  mixed,
  backlog,
  heldXmin,
  coldStart,
  memory,
  options,
]

/** Where the floor of a case is a figure of another. */
export const floorCases = { 'enqueue-single-in-flight': { case: 'enqueue-batch' } }
