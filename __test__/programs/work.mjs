// A worker as its own process. Tells when a handler starts; the handler ends when the word `finish` comes in.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { registerHandler, Worker } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))
const input = createInterface(process.stdin)
const finish = once(input, 'line')

registerHandler('Any', async (message, { signal }) => {
  say({ started: message.payload.n })
  signal.addEventListener('abort', () => say({ aborted: message.payload.n }))
  await finish
})

const worker = new Worker({ maxConcurrency: 1, pollInterval: 50 })
worker.once('idle', () => say('idle'))
const { succeeded, released, stoppedBy } = await worker.run()
say({ succeeded, released, stoppedBy })
input.close()
process.stdin.destroy()
