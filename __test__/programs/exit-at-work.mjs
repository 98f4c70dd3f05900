// Leaves by process.exit() while handlers run, outcomes are written and dispatches are on their way.
import { consumeBatch, dispatch, dispatchBatch, registerHandler, Worker } from '@leadmap/symphony'

await dispatchBatch(Array.from({ length: 200 }, (_, n) => ({ type: 'Any', payload: { n } })))
let started = 0
registerHandler('Any', async () => {
  started += 1
  if (started === 30) process.exit(0)
  await new Promise((resolve) => setTimeout(resolve, started % 7))
})
console.log(JSON.stringify('at work'))
for (let n = 0; n < 50; n += 1) void dispatch({ type: 'Other', payload: { n } }, { idempotencyKey: `${n}` })
void consumeBatch({ batchSize: 20, maxConcurrency: 20 })
void new Worker({ batchSize: 20, pollInterval: 10 }).start()
