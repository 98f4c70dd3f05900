// Runs a Symphony worker in a worker thread, and ends the thread in the middle of its work when it is told to.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker as Thread } from 'node:worker_threads'

if (isMainThread) {
  const input = createInterface(process.stdin)
  const thread = new Thread(fileURLToPath(import.meta.url))
  thread.on('message', (message) => console.log(JSON.stringify(message)))
  await once(input, 'line')
  console.log(JSON.stringify({ terminated: await thread.terminate() }))
  await once(input, 'line')
  input.close()
  process.stdin.destroy()
} else {
  const { dispatch, registerHandler, Worker } = await import('@leadmap/symphony')
  registerHandler('Threaded', () => {
    parentPort.postMessage('handling')
    return new Promise(() => {})
  })
  await dispatch({ type: 'Threaded', payload: {} })
  await new Worker({ pollInterval: 50 }).start()
}
