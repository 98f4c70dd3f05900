// A consumer as its own process. What its handlers do stands in the file JOURNAL before they go on, so that no kill
// can lose it. Says `ready`; with MODE=drain it drains once, else it works until its standard input says `stop`;
// in the end it tells its result.
import { once } from 'node:events'
import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { consumeBatch, registerHandler, Worker } from '@leadmap/symphony'

const { JOURNAL, MODE, CONCURRENCY, BATCH_SIZE, POLL, HASTE, SHUTDOWN_TIMEOUT } = process.env
const journal = openSync(JOURNAL, 'a')
const who = `${process.pid}-${process.hrtime.bigint()}`
const say = (value) => console.log(JSON.stringify(value))
const note = (did, facts) => writeSync(journal, `${JSON.stringify({ did, who, ...facts, at: Date.now() })}\n`)
const options = {
  ...(CONCURRENCY && { maxConcurrency: Number(CONCURRENCY) }),
  ...(BATCH_SIZE && { batchSize: Number(BATCH_SIZE) }),
}

// `ms`: how long it takes, unless HASTE is set; `block`: how long it keeps the event loop; `abort`: it takes the
// process with it.
registerHandler('Work', async ({ payload: { n, ms, block, abort } }, { id, signal }) => {
  note('start', { n, id })
  signal.addEventListener('abort', () => note('aborted', { n, id }))
  if (abort) process.abort()
  if (block) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block)
  if (ms && !HASTE) await sleep(ms, undefined, { signal })
  note('end', { n, id })
})

const input = createInterface(process.stdin)
if (MODE === 'drain') {
  say({ ready: who })
  say(await consumeBatch(options))
} else {
  const worker = new Worker({
    ...options,
    ...(POLL && { pollInterval: Number(POLL) }),
    ...(SHUTDOWN_TIMEOUT && { shutdownTimeout: Number(SHUTDOWN_TIMEOUT) }),
  })
  worker.on('completed', ({ id }) => note('completed', { id }))
  worker.on('lost', ({ id }) => note('lost', { id }))
  worker.on('error', ({ code }) => note('error', { id: code }))
  const result = worker.run()
  say({ ready: who })
  once(input, 'line').then(() => worker.stop())
  // Also ends by SIGTERM.
  say(
    await result.then(
      (done) => ({ ...done, lostInStats: worker.stats().lost }),
      ({ code }) => ({ code }),
    ),
  )
}
input.close()
process.stdin.destroy()
