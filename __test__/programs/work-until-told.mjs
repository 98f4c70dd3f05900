// A long-lived worker of all transports, or of TEST_TRANSPORT, which looks for itself only once a minute. Tells what it
// handles.
import { registerHandler, Worker } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))

registerHandler('Told', (message) => say(message.payload.line))

const { TEST_TRANSPORT, TEST_LISTEN } = process.env
const transports = TEST_TRANSPORT ? [TEST_TRANSPORT] : undefined
const worker = new Worker({ transports, listen: TEST_LISTEN !== 'false', pollInterval: '1m' })
worker.once('idle', () => say('idle'))
process.stdin.once('data', () => worker.stop())
await worker.run()
process.stdin.destroy()
