/**
 * The systems, what each keeps, and the configurations of which the sweep picks the fastest. Every option is one that
 * the system's own documentation recommends for throughput; the first candidate won on the machine of the published
 * figures, and is used without a sweep.
 *
 * @typedef {object} Listed
 * @property {string} name
 * @property {string} file Its adapter.
 * @property {boolean} [own] Symphony itself, or its floor; the others are peers.
 * @property {string} keeps What happens to a finished message, and what a crash of the server can lose.
 * @property {boolean} [slow] Gets a twentieth of the messages where it drains.
 * @property {Array<{ batch: number, lanes: number }>} enqueue
 * @property {Array<Record<string, any>>} drain
 * @property {Record<string, any>} latency
 */
const durable = 'committed before the call returns'
const lanes = [4, 2, 1].map((lanes) => ({ batch: 1000, lanes }))

/** @type {Listed[]} */
export const systems = [
  {
    name: 'raw',
    file: 'raw',
    own: true,
    keeps: `${durable}; finished rows deleted`,
    enqueue: [...lanes],
    drain: [{ batchSize: 1000 }, { batchSize: 500 }],
    latency: { batchSize: 1 },
  },
  {
    name: 'raw-kept',
    file: 'raw',
    own: true,
    keeps: `${durable}; finished rows kept`,
    enqueue: [],
    drain: [
      { kept: true, batchSize: 1000 },
      { kept: true, batchSize: 500 },
    ],
    latency: {},
  },
  {
    name: 'symphony',
    file: 'symphony',
    own: true,
    keeps: `${durable}; retention.completed 'none': finished rows deleted`,
    enqueue: [...lanes],
    drain: [
      { batchSize: 1000, maxConcurrency: 1000 },
      { batchSize: 500, maxConcurrency: 500 },
      { batchSize: 1000, maxConcurrency: 100 },
    ],
    latency: { batchSize: 10, maxConcurrency: 10 },
  },
  {
    name: 'symphony-kept',
    file: 'symphony',
    own: true,
    keeps: `${durable}; retention.completed 24 h, the default: finished rows kept`,
    enqueue: [],
    drain: [
      { kept: true, batchSize: 1000, maxConcurrency: 1000 },
      { kept: true, batchSize: 500, maxConcurrency: 500 },
    ],
    latency: {},
  },
  {
    name: 'graphile-worker',
    file: 'graphile-worker',
    keeps: `${durable}; finished rows deleted`,
    enqueue: [...lanes, { batch: 5000, lanes: 2 }],
    drain: [
      graphile({ concurrentJobs: 24, size: 1000 }),
      graphile({ concurrentJobs: 100, size: 1000 }),
      graphile({ concurrentJobs: 24, size: 500 }),
    ],
    latency: graphile({ concurrentJobs: 24, size: 500 }),
  },
  {
    name: 'pg-boss',
    file: 'pg-boss',
    keeps: `${durable}; finished rows kept as completed`,
    enqueue: [...lanes, { batch: 5000, lanes: 2 }],
    drain: [
      { batchSize: 1000, localConcurrency: 2 },
      { batchSize: 2000, localConcurrency: 2 },
      { batchSize: 1000, localConcurrency: 4 },
    ],
    latency: { batchSize: 1, localConcurrency: 1 },
  },
  {
    name: 'bullmq-postgres',
    file: 'bullmq-postgres',
    keeps: `${durable}; finished rows removed`,
    slow: true,
    enqueue: [...lanes],
    drain: [{ concurrency: 32 }, { concurrency: 8 }],
    latency: { concurrency: 10 },
  },
  {
    name: 'bullmq-redis',
    file: 'bullmq-redis',
    keeps: 'in memory, written as the Redis server is configured; finished rows removed',
    enqueue: [...lanes],
    drain: [{ concurrency: 300 }, { concurrency: 100 }],
    latency: { concurrency: 10 },
  },
]

/** Its documented batching. */
function graphile({ concurrentJobs, size }) {
  const refetchDelay = { durationMs: 10 }
  const batched = { localQueue: { size, refetchDelay }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  return { concurrentJobs, maxPoolSize: 25, ...batched }
}
