// Drains the queue and tells the numbers of the messages that it handled, in their order.
import { once } from 'node:events'
import { consumeBatch, migrationStatus, registerHandler } from '@leadmap/symphony'

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
