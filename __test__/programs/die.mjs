// Drains the queue; the handler of `Poison` kills the process without any goodbye.
import { consumeBatch, registerHandler } from '@leadmap/symphony'

registerHandler('Poison', () => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
})
registerHandler('Harmless', () => {})

const { succeeded } = await consumeBatch({ maxConcurrency: 10 })
console.log(JSON.stringify({ succeeded }))
