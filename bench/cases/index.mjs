/** All cases, in the order in which they run. */
import drain from './drain.mjs'
import enqueueBatch from './enqueue-batch.mjs'
import enqueueSingle from './enqueue-single.mjs'
import latency from './latency.mjs'

/** @type {Array<{ name: string, run: (context: import('../harness/context.mjs').Context) => Promise<void> }>} */
export const cases = [enqueueBatch, enqueueSingle, drain, latency]

/** Where the floor of a case is a figure of another. */
export const floorCases = { 'enqueue-single-in-flight': { case: 'enqueue-batch' } }
