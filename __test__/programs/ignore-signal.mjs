// A worker whose handlers look at no signal, and hold timers of 28 s. Says when they run and when everything is handed
// back, and answers to each line; OPTIONS are those of the worker. With OTHERS the application listens to SIGTERM itself,
// and ends its handlers once the rest is handed back.
import { createInterface } from 'node:readline'
import { registerHandler, Worker } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))
const { OPTIONS = '{}', OTHERS } = process.env
let open = () => {}
const opened = new Promise((resolve) => {
  open = resolve
})

registerHandler('Any', async (message) => {
  say({ started: message.payload.n })
  const timer = new Promise((resolve) => setTimeout(resolve, 28_000))
  await Promise.race([timer, opened])
})
registerHandler('Limited', () => new Promise((resolve) => setTimeout(resolve, 28_000)), { timeout: 10 })

const worker = new Worker({ maxConcurrency: 2, pollInterval: 50, shutdownTimeout: '100ms', ...JSON.parse(OPTIONS) })
if (OTHERS) {
  process.on('SIGTERM', () => {})
  worker.on('released', open)
}
worker.on('retried', ({ type }) => say({ retried: type }))
createInterface(process.stdin).on('line', say)
const { succeeded, released, stoppedBy } = await worker.run()
say({ succeeded, released, stoppedBy })
