// Drains the queue and tells the numbers of the messages that it handled, in their order.
import { once } from 'node:events'
import { consumeBatch, registerHandler } from '@leadmap/symphony'
import { migrationStatus } from '@leadmap/symphony/admin'

const handled = []
registerHandler('Numbered', (message) => {
  handled.push(message.payload.n)
})

await migrationStatus()
console.log(JSON.stringify('ready'))
await once(process.stdin, 'data')
process.stdin.destroy()

const result = await consumeBatch({ batchSize: 100, maxConcurrency: 10 })
console.log(JSON.stringify({ handled, result }))
