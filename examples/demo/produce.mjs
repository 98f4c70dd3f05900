/** Dispatches the jobs: alone where a user waits for it, in batches otherwise, some twice. */
import { dispatch, dispatchBatch } from '@leadmap/symphony'

const batchSize = 500
/** Single dispatches under way at a time, as from so many requests. */
const requests = 50

/**
 * @param {import('./messages.mjs').Job[]} jobs
 * @param {import('./ledger.mjs').Ledger} ledger
 */
export async function produce(jobs, ledger) {
  await Promise.all([
    produceSingly(
      jobs.filter((job) => job.single),
      ledger,
    ),
    produceInBatches(
      jobs.filter((job) => !job.single),
      ledger,
    ),
  ])
  // As when a form is sent twice or a webhook comes again.
  await produceInBatches(
    jobs.filter((job) => job.repeated),
    ledger,
  )
}

async function produceSingly(jobs, ledger) {
  for (const some of chunks(jobs, requests)) {
    await Promise.all(
      some.map(async ({ message, options }) => {
        const result = await dispatch(message, options).then(
          (stored) => ({ success: true, ...stored }),
          (error) => ({ success: false, error }),
        )
        ledger.dispatched(result)
      }),
    )
  }
}

async function produceInBatches(jobs, ledger) {
  for (const some of chunks(jobs, batchSize)) {
    const results = await dispatchBatch(some.map(({ message, options }) => ({ message, options })))
    for (const result of results) ledger.dispatched(result)
  }
}

function chunks(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
